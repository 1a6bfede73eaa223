"""CORS as S3 answers it: the first rule of the bucket that fits the request decides. S3 checks no credentials here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local.cors import fits

type Headers = dict[str, str]

_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


class CorsRefusedError(Exception):
    """A preflight that S3 refuses. `code` and the text are S3's own; `status` is the HTTP status."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a bucket. Origins and headers may hold one `*` each."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: str | None = None

    def allows(self, origin: str, method: str, headers: Iterable[str] = ()) -> bool:
        """Whether the rule fits a request."""
        return (
            method in self.methods
            and any(fits(allowed, origin) for allowed in self.origins)
            and all(any(fits(allowed.lower(), name) for allowed in self.headers) for name in headers)
        )

    def answer(self, origin: str) -> Headers:
        """The headers of every answer to an allowed request."""
        allowed: Headers = {"Access-Control-Allow-Methods": ", ".join(self.methods), "Vary": _VARY}
        if "*" in self.origins:
            allowed["Access-Control-Allow-Origin"] = "*"
        else:
            allowed |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        if self.exposed:
            allowed["Access-Control-Expose-Headers"] = ", ".join(self.exposed)
        if self.max_age is not None:
            allowed["Access-Control-Max-Age"] = self.max_age
        return allowed


def preflight(rules: Sequence[Rule], request: Mapping[str, str]) -> Headers:
    """Return the headers of the answer to an OPTIONS request. `request` has its header names in lower case.

    Raises CorsRefusedError.
    """
    origin, method = request.get("origin", ""), request.get("access-control-request-method", "")
    if not origin or not method:
        raise CorsRefusedError(400, "BadRequest", "Insufficient information. Origin request header needed.")
    if not rules:
        raise CorsRefusedError(403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
    listed = request.get("access-control-request-headers", "").split(",")
    asked = [name.strip().lower() for name in listed if name.strip()]
    rule = next((one for one in rules if one.allows(origin, method, asked)), None)
    if rule is None:
        raise CorsRefusedError(
            403,
            "AccessForbidden",
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
            "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
            "resource's CORS spec.",
        )
    return rule.answer(origin) | ({"Access-Control-Allow-Headers": ", ".join(asked)} if asked else {})


def response_headers(rules: Sequence[Rule], method: str, request: Mapping[str, str]) -> Headers:
    """Return the CORS headers of the answer to the request itself. It is empty if no rule fits; the browser then hides
    the answer.
    """
    origin = request.get("origin", "")
    rule = next((one for one in rules if origin and one.allows(origin, method)), None)
    return rule.answer(origin) if rule is not None else {}
