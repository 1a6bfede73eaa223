// An officer's whole day through the generated client, and all screens of the product. It runs against `make run`:
// BASE_URL, TOKEN and CARDS name the stack, a token with all scopes of an organisation without settings, and the
// simulators' cards. CLOCK is the stack's time. `python -m tests.clients` calls it.
import assert from "node:assert/strict";
import { messaging, type Schemas } from "../src/client.ts";

const baseUrl = setting("BASE_URL");
const cards = setting("CARDS");
const api = messaging({ baseUrl, token: setting("TOKEN"), language: "fr" });
const began = Date.now();
const startedAt = Date.parse(setting("CLOCK"));
const campaign_id = "vaccination-2026";
const text = "Bonjour {first_name}, votre carte : {verification_url}";
const phone = "+221770008200";
let moved = 0;
let keys = 0;

await settings();
await templates();
await testSend();
await preview();
const list = await fileToSent();
const mended = await holdAndResume();
await control();
await single();
await history(list);
await wholeLists(list);
await retry(list);
await people();
await deadLetters();
await statistics(mended);
await tidy();
console.log("the day is over: every screen answered");

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set`);
  return value;
}

function key(): string {
  keys += 1;
  return `day-${keys}`;
}

interface Answer<T> {
  data?: T;
  error?: Schemas["Problem"] | Schemas["GatewayMessage"];
  response: Response;
}

/** The body of an answer that must be a success. */
function ok<T>({ data, error, response }: Answer<T>): T {
  if (data === undefined) throw new Error(`${response.status} ${response.url}: ${JSON.stringify(error)}`);
  return data;
}

/** An answer without a body must have this status. */
function done({ error, response }: Answer<unknown>, status: number): void {
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error)}`);
}

/** The problem of an answer that must be a refusal. */
function refused({ error, response }: Answer<unknown>, code: Schemas["ProblemCode"]): Schemas["Problem"] {
  if (error === undefined || !("type" in error)) throw new Error(`${response.status} ${response.url}: no problem`);
  assert.equal(error.code, code);
  return error;
}

/** What fell due in the next minute happens now (the local stack only). */
async function minuteLater(): Promise<void> {
  moved += 60_000;
  const now = new Date(startedAt + (Date.now() - began) + moved).toISOString();
  const answer = await fetch(`${baseUrl}/_local/clock`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ now }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** Asks until the answer is as wanted. Every few questions the stack's clock moves on by a minute. */
async function until<T>(ask: () => Promise<T>, wanted: (found: T) => boolean): Promise<T> {
  for (let asked = 1; asked <= 120; asked += 1) {
    const found = await ask();
    if (wanted(found)) return found;
    if (asked % 12 === 0) await minuteLater();
    else await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`it did not become so: ${JSON.stringify(await ask())}`);
}

async function distribution(distribution_id: string): Promise<Schemas["Distribution"]> {
  return ok(await api.GET("/v1/distributions/{distribution_id}", { params: { path: { distribution_id } } }));
}

async function reaches(
  distribution_id: string,
  ...statuses: Schemas["DistributionStatus"][]
): Promise<Schemas["Distribution"]> {
  return until(
    () => distribution(distribution_id),
    ({ status }) => statuses.includes(status),
  );
}

function people_(first: number, count: number): Schemas["Recipient"][] {
  return Array.from({ length: count }, (_, row) => ({
    phone: `+22177000${first + row}`,
    first_name: "Aminata",
    card_code: `DKR-VAC-${first + row}`,
    verification_url: "https://v.example.org/c/{card_code}",
  }));
}

async function send(order: Partial<Schemas["DistributionOrder"]>): Promise<Schemas["Distribution"]> {
  return ok(
    await api.POST("/v1/distributions", {
      params: { header: { "Idempotency-Key": key() } },
      body: { campaign_id, channel: "sms", content: { text }, ...order },
    }),
  );
}

async function settings(): Promise<void> {
  refused(await api.PATCH("/v1/integrations/sms", { body: { rate_per_second: 9 } }), "not_found");
  const sms = ok(
    await api.PUT("/v1/integrations/sms", {
      body: { client_id: "day-ts", client_secret: "any", sender_name: "PNV", default_country: "SN" },
    }),
  );
  assert.equal(sms.client_secret.set, true);
  const changed = ok(
    await api.PATCH("/v1/integrations/sms", {
      body: { rate_per_second: 50, unit_prices: { SN: { amount: "12", currency: "XOF" } }, senders: { EG: "tel:+200000" } },
    }),
  );
  assert.deepEqual([changed.rate_per_second, changed.unit_prices?.SN?.amount, changed.sender_name], [50, "12", "PNV"]);
  const narrow = ok(await api.PATCH("/v1/integrations/sms", { body: { sender_name: "PNV-SN", senders: { EG: null } } }));
  assert.deepEqual(narrow.warnings?.map(({ code }) => code), ["sender_name_narrow"]);
  ok(await api.PATCH("/v1/integrations/sms", { body: { sender_name: "PNV" } }));
  const whatsapp = ok(
    await api.PUT("/v1/integrations/whatsapp", {
      body: {
        access_token: "any",
        phone_number_id: "100000000000061",
        sender_number: "+221770009961",
        app_secret: "any",
        business_account_id: "200000000000061",
      },
    }),
  );
  assert.equal(typeof whatsapp.verify_token?.value, "string");
  ok(await api.PATCH("/v1/integrations/whatsapp", { body: { default_template: "vaccination_card" } }));
  ok(await api.PUT("/v1/integrations/dhis2", { body: { attributes: { phone: "aPhone00001" } } }));
  const mapping = ok(await api.PATCH("/v1/integrations/dhis2", { body: { attributes: { first_name: "aFirst00001" } } }));
  assert.deepEqual(mapping.attributes, { phone: "aPhone00001", first_name: "aFirst00001" });
  ok(await api.GET("/v1/integrations/dhis2"));
  const read = ok(await api.GET("/v1/integrations/whatsapp"));
  assert.deepEqual([read.default_template, read.verify_token?.value], ["vaccination_card", undefined]);
  for (const health of [
    ok(await api.GET("/v1/integrations/sms/health")),
    ok(await api.GET("/v1/integrations/whatsapp/health")),
  ]) {
    assert.ok(health.checks.every((check) => check.ok || check.remedy !== null));
  }
}

async function templates(): Promise<void> {
  const ready = ok(await api.GET("/v1/templates")).items.filter(({ origin }) => origin === "ready");
  assert.ok(ready.some(({ name, use_case }) => name === "vaccination_card" && use_case === "vaccination"));
  const path = { name: "vaccination_card" };
  assert.equal(ok(await api.POST("/v1/templates/{name}/submit", { params: { path } })).status, "pending");
  await until(
    async () => ok(await api.GET("/v1/templates")).items,
    (items) => items.some((one) => one.name === path.name && one.channel === "whatsapp" && one.status === "approved"),
  );
}

async function testSend(): Promise<void> {
  assert.equal(ok(await api.POST("/v1/integrations/sms/test", { body: { to: phone } })).status, "sent");
  const whatsapp = await api.POST("/v1/integrations/whatsapp/test", { body: { to: "+221770008201", language: "fr" } });
  assert.equal(ok(whatsapp).status, "sent");
  const wrong = refused(await api.POST("/v1/integrations/sms/test", { body: { to: "+33612345678" } }), "unprocessable");
  assert.deepEqual(wrong.errors?.map(({ field, code }) => [field, code]), [["to", "country_not_covered"]]);
}

async function preview(): Promise<void> {
  const { items } = ok(
    await api.POST("/v1/preview", {
      body: { channel: "sms", content: { text: "Bientôt, {first_name}" }, recipients: [{ phone, first_name: "Aïssa" }, { first_name: "Awa" }] },
    }),
  );
  const [first, second] = items;
  assert.ok(first?.valid === true && second?.valid === false);
  assert.deepEqual([first.recipient, first.encoding, first.price?.amount], ["+22177***8200", "ucs2", "12"]);
  assert.deepEqual(second.errors.map(({ code }) => code), ["phone_missing"]);
}

async function fileToSent(): Promise<Schemas["Distribution"]> {
  const rows = [
    "Téléphone;Prénom;Code carte;remarque",
    "+221770008210;Awa;C-10;x",
    "77 000 82 11;Baba;C-11;",
    "+221770000610;Coumba;C-12;",
    "+221770008210;Awa;C-10;encore",
    "+22790123456;Djibo;C-13;",
  ];
  const file = new TextEncoder().encode(rows.join("\r\n"));
  const upload = ok(await api.POST("/v1/uploads", { body: { format: "csv", bytes: file.length } }));
  const put = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: file });
  assert.equal(put.status, 200);
  const made = await send({
    name: "Dakar, novembre",
    upload_id: upload.upload_id,
    defaults: { verification_url: "https://v.example.org/c/{card_code}" },
  });
  const planned = await reaches(made.distribution_id, "planned", "rejected");
  assert.deepEqual([planned.accepted, planned.rejected, planned.duplicates, planned.name], [3, 1, 1, "Dakar, novembre"]);
  assert.deepEqual(
    planned.columns?.map(({ field }) => field),
    ["phone", "first_name", "card_code", null],
  );
  const params = { path: { distribution_id: made.distribution_id } };
  const samples = ok(await api.GET("/v1/distributions/{distribution_id}/samples", { params }));
  assert.ok(samples.items.some((sample) => sample.text.startsWith("Bonjour Awa")));
  const errors = ok(await api.GET("/v1/distributions/{distribution_id}/errors", { params }));
  assert.deepEqual(errors.items.map(({ row, code }) => [row, code]), [[5, "country_not_covered"]]);
  const duplicates = ok(await api.GET("/v1/distributions/{distribution_id}/duplicates", { params }));
  assert.deepEqual(duplicates.items.map(({ row, duplicate_of }) => [row, duplicate_of]), [[4, 1]]);
  ok(await api.POST("/v1/distributions/{distribution_id}/confirm", { params }));
  return until(
    () => distribution(made.distribution_id),
    ({ status, counts }) => status === "completed" && counts.delivered === 2 && counts.failed === 1,
  );
}

async function holdAndResume(): Promise<Schemas["Distribution"]> {
  ok(await api.PATCH("/v1/integrations/sms", { body: { client_id: "revoked" } }));
  const made = await send({ recipients: people_(8220, 3), confirm: true });
  const held = await reaches(made.distribution_id, "paused");
  assert.deepEqual([held.status_reason, held.holds[0]?.scope, held.holds[0]?.messages], ["token_invalid", "account", 3]);
  assert.ok(held.status_reason_text !== null && held.holds[0]?.reason_text !== "");
  ok(await api.PATCH("/v1/integrations/sms", { body: { client_id: "day-ts" } }));
  const params = { path: { distribution_id: made.distribution_id } };
  ok(await api.POST("/v1/distributions/{distribution_id}/resume", { params }));
  return until(
    () => distribution(made.distribution_id),
    ({ status, counts }) => status === "completed" && counts.delivered === 3,
  );
}

async function control(): Promise<void> {
  const at = new Date(startedAt + 24 * 3_600_000).toISOString();
  const made = await send({
    channel: "whatsapp",
    content: { template: { name: "vaccination_card" } },
    recipients: people_(8230, 2).map((one) => ({ ...one, last_name: "Essai", programme_name: "PNV", card_image: `${cards}/1.png`, consent: true })),
    schedule: { mode: "at", at },
    fallback: { channel: "sms", after_minutes: 60, content: { text: "Votre carte : {verification_url}" } },
  });
  assert.ok(made.fallback !== null && made.status === "planned", JSON.stringify(made));
  const params = { path: { distribution_id: made.distribution_id } };
  assert.equal(ok(await api.POST("/v1/distributions/{distribution_id}/confirm", { params })).status, "scheduled");
  assert.equal(ok(await api.POST("/v1/distributions/{distribution_id}/pause", { params })).status, "paused");
  assert.equal(ok(await api.POST("/v1/distributions/{distribution_id}/resume", { params })).status, "scheduled");
  assert.equal(ok(await api.POST("/v1/distributions/{distribution_id}/cancel", { params })).status, "cancelled");
  const late = refused(await api.POST("/v1/distributions/{distribution_id}/resume", { params }), "state_conflict");
  assert.equal(late.status, 409);
}

async function single(): Promise<void> {
  const later = new Date(startedAt + 24 * 3_600_000).toISOString();
  const [recipient] = people_(8240, 1);
  assert.ok(recipient !== undefined);
  const made = ok(
    await api.POST("/v1/messages", {
      params: { header: { "Idempotency-Key": key() } },
      body: { channel: "sms", campaign_id, recipient, content: { text }, send_at: later },
    }),
  );
  const params = { path: { message_id: made.message_id } };
  const cancelled = ok(await api.POST("/v1/messages/{message_id}/cancel", { params }));
  assert.deepEqual([cancelled.status, cancelled.reason, cancelled.via], ["failed", "cancelled", "single"]);
  const again = ok(await api.POST("/v1/messages/{message_id}/resend", { params }));
  const sent = await until(
    async () => ok(await api.GET("/v1/messages/{message_id}", { params: { path: { message_id: again.message_id } } })),
    ({ status }) => status === "delivered",
  );
  assert.deepEqual([sent.via, sent.parent_message_id, sent.country], ["resend", made.message_id, "SN"]);
}

async function history({ distribution_id }: Schemas["Distribution"]): Promise<void> {
  const failed = ok(
    await api.GET("/v1/messages", { params: { query: { distribution_id, status: "failed", reason: "undeliverable" } } }),
  );
  assert.deepEqual(failed.items.map(({ via, reason }) => [via, reason]), [["distribution", "undeliverable"]]);
  assert.ok(failed.items[0]?.reason_text);
  let cursor: string | null = null;
  let seen = 0;
  do {
    const page: Schemas["MessageList"] = ok(
      await api.GET("/v1/campaigns/{campaign_id}/messages", {
        params: { path: { campaign_id }, query: { limit: 2, ...(cursor === null ? {} : { cursor }) } },
      }),
    );
    seen += page.items.length;
    cursor = page.next_cursor;
  } while (cursor !== null);
  assert.ok(seen >= 8, `${seen} messages`);
  const known = ok(await api.GET("/v1/distributions", { params: { query: { campaign_id, status: "completed" } } }));
  assert.ok(known.items.some((one) => one.distribution_id === distribution_id));
  const mine = ok(await api.POST("/v1/messages/lookup", { body: { phone: "77 000 82 10" } }));
  assert.deepEqual(mine.items.map(({ recipient }) => recipient), ["+22177***8210"]);
}

async function wholeLists({ distribution_id }: Schemas["Distribution"]): Promise<void> {
  const orders: Schemas["ExportOrder"][] = [
    { kind: "messages", campaign_id, language: "fr" },
    { kind: "rejected_rows", distribution_id },
  ];
  for (const body of orders) {
    const { export_id } = ok(await api.POST("/v1/exports", { body }));
    const made = await until(
      async () => ok(await api.GET("/v1/exports/{export_id}", { params: { path: { export_id } } })),
      ({ status }) => status !== "running",
    );
    assert.ok(made.status === "done" && made.url !== null);
    const file = await (await fetch(made.url)).text();
    assert.equal(file.trimEnd().split("\r\n").length, made.rows + 1);
  }
}

async function retry({ distribution_id }: Schemas["Distribution"]): Promise<void> {
  const made = ok(
    await api.POST("/v1/distributions/{distribution_id}/retry", {
      params: { path: { distribution_id }, header: { "Idempotency-Key": key() } },
      body: { reasons: ["undeliverable"], confirm: true },
    }),
  );
  const over = await until(
    () => distribution(made.distribution_id),
    ({ status, counts }) => status === "completed" && counts.failed === 1,
  );
  assert.deepEqual([over.accepted, over.by_reason], [1, { undeliverable: 1 }]);
}

async function people(): Promise<void> {
  const person = { phone: "+221770008290" };
  done(await api.POST("/v1/consents", { body: { ...person, granted: true, source: "registre" } }), 204);
  assert.equal(ok(await api.POST("/v1/consents/lookup", { body: person })).state, "granted");
  done(await api.POST("/v1/consents", { body: { items: [{ ...person, granted: false, source: "appel" }] } }), 204);
  assert.equal(ok(await api.POST("/v1/consents/lookup", { body: person })).state, "revoked");
  done(await api.POST("/v1/erasures", { body: { phone: "+221770008220" } }), 202);
}

async function deadLetters(): Promise<void> {
  assert.deepEqual(ok(await api.GET("/v1/dead-letters", { params: { query: { channel: "sms" } } })).items, []);
  assert.equal(ok(await api.POST("/v1/dead-letters/redrive", { body: { all: true } })).redriven, 0);
}

async function statistics(mended: Schemas["Distribution"]): Promise<void> {
  const { created_at } = mended;
  const found = await until(
    async () =>
      ok(
        await api.GET("/v1/campaigns/{campaign_id}/statistics", {
          params: { path: { campaign_id }, query: { from: created_at, group: "day" } },
        }),
      ),
    ({ counts }) => counts.delivered >= 6,
  );
  assert.ok((found.by_channel.sms?.counts.delivered ?? 0) >= 6);
  assert.ok(found.series !== undefined && found.series.length >= 1);
  assert.ok((found.delivery_rate ?? 0) > 0.5);
  ok(await api.GET("/v1/statistics"));
  const campaigns = ok(await api.GET("/v1/campaigns", { params: { query: { limit: 10 } } })).items;
  assert.deepEqual(campaigns.map((one) => [one.campaign_id, one.name]), [[campaign_id, "Dakar, novembre"]]);
  assert.ok(campaigns.every(({ distributions }) => distributions >= 3));
}

async function tidy(): Promise<void> {
  assert.equal(ok(await api.GET("/v1/integrations/sms")).client_id, "day-ts");
  done(await api.DELETE("/v1/integrations/sms"), 204);
  done(await api.DELETE("/v1/integrations/whatsapp"), 204);
  done(await api.DELETE("/v1/integrations/dhis2"), 204);
  refused(await api.GET("/v1/integrations/dhis2"), "not_found");
  assert.equal(ok(await api.GET("/health")).status, "ok");
}
