// The client of the Oomus Messaging API: openapi-fetch on the types of schema.d.ts, which is generated.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

export type Schemas = components["schemas"];

export interface Options {
  /** Scheme and host, without a slash at the end. */
  baseUrl: string;
  /** The JWT of the person who is signed in. */
  token: string;
  /** The language of all texts in answers. */
  language?: Schemas["Language"];
}

/** A client for one signed-in person. Each call answers `{data, error, response}`; `error` is a problem (RFC 9457). */
export function messaging({ baseUrl, token, language = "en" }: Options) {
  return createClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${token}`, "Accept-Language": language },
  });
}
