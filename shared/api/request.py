"""An event of API Gateway's HTTP API (payload format 2.0), read once: the caller, the Idempotency-Key, and the client's
preferences."""

import base64
import binascii
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import parse_qsl

from shared.api.texts.sentences import Language
from shared.base.ids import is_organisation
from shared.base.json import JsonValue, canonical
from shared.base.refusal import FieldError, ProblemCode, Refusal

type Event = Mapping[str, object]

_SUBJECTS = ("sub", "client_id")

_SUBJECT = re.compile(r"[!-~]{1,128}")
"""api.md, Authentication: visible ASCII. Any other name counts as missing."""


class Scope(StrEnum):
    """What a token permits. Scopes do not include one another: a token names each of its scopes."""

    READ = "messaging.read"
    SEND = "messaging.send"
    ADMIN = "messaging.admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller, as the gateway's JWT authorizer verified it."""

    organisation: str
    scopes: frozenset[str]
    subject: str = ""
    """The person or program: the claim `sub`, else `client_id`. Empty if the token has neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`headers` have lower-case names; of a repeated key in the query the last value counts; `body` is the raw bytes.

    `repeated`: the query's keys with more than one non-empty value.
    """

    route_key: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    repeated: frozenset[str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    source_ip: str
    base_url: str
    """Scheme and host that the client used, without a slash at the end."""
    caller: Caller | None
    """None: no token, or a token without an organisation."""

    @property
    def language(self) -> Language:
        """The language of all texts in the answer."""
        return preferred_language(self.headers.get("accept-language", ""))

    @property
    def organisation(self) -> str:
        """The organisation of the request. Raises Refusal (forbidden) if the token names none."""
        if self.caller is None:
            raise Refusal(ProblemCode.FORBIDDEN)
        return self.caller.organisation

    @property
    def subject(self) -> str:
        """The person or program that asks; empty if the token names none."""
        return self.caller.subject if self.caller is not None else ""

    @property
    def caller_name(self) -> str | None:
        """The subject, as it is stored with what a request makes (`created_by`); None: the token names none."""
        return self.subject or None


def request_from(event: Event) -> Request:
    """Reads every event that the gateway can send. Raises Refusal (bad_request) if a body marked as base64 is not
    base64."""
    context = _mapping(event.get("requestContext"))
    headers = {name.lower(): value for name, value in _texts(event.get("headers")).items()}
    query = _query(event)
    given = Counter(name for name, value in query if value)
    scheme = "http" if headers.get("x-forwarded-proto") == "http" else "https"
    return Request(
        route_key=_text(event.get("routeKey")),
        path_parameters=_texts(event.get("pathParameters")),
        query=MappingProxyType(dict(sorted(query, key=lambda one: bool(one[1])))),  # an empty value hides no other
        repeated=frozenset(name for name, count in given.items() if count > 1),
        headers=MappingProxyType(headers),
        body=_body(event),
        source_ip=_text(_mapping(context.get("http")).get("sourceIp")),
        base_url=f"{scheme}://{_text(context.get('domainName'))}",
        caller=_caller(context),
    )


def _query(event: Event) -> Sequence[tuple[str, str]]:
    """Read from the raw string: the gateway joins the values of a repeated key with commas."""
    raw = event.get("rawQueryString")
    if isinstance(raw, str):
        return parse_qsl(raw, keep_blank_values=True)
    return [*_texts(event.get("queryStringParameters")).items()]


def _body(event: Event) -> bytes:
    body = _text(event.get("body"))
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        field_error = FieldError(field="body", code="field_invalid", facts={"format": "base64"})
        raise Refusal(ProblemCode.BAD_REQUEST, (field_error,)) from error


def _caller(context: Mapping[str, object]) -> Caller | None:
    """The gateway turns a claim that is a list into "[a b]". A scope may have this form, an organisation may not."""
    claims = _texts(_mapping(_mapping(context.get("authorizer")).get("jwt")).get("claims"))
    organisation = claims.get("organisation_id", "")
    if not is_organisation(organisation):
        return None
    scope = claims.get("scope", "")
    if scope.startswith("[") and scope.endswith("]"):
        scope = scope[1:-1]
    named = (claims.get(name, "") for name in _SUBJECTS)
    subject = next((name for name in named if _SUBJECT.fullmatch(name)), "")
    return Caller(organisation=organisation, scopes=frozenset(scope.split()), subject=subject)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Mapping[str, str]:
    return MappingProxyType({name: text for name, text in _mapping(value).items() if isinstance(text, str)})


_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header. Raises Refusal: idempotency_key_missing; bad_request if it is not 1–255 visible
    ASCII."""
    value = request.headers.get("idempotency-key", "").strip()
    if not value:
        raise Refusal(ProblemCode.IDEMPOTENCY_KEY_MISSING)
    if not _VISIBLE_ASCII.fullmatch(value):
        field_error = FieldError(field="Idempotency-Key", code="field_invalid", facts={"format": "idempotency-key"})
        raise Refusal(ProblemCode.BAD_REQUEST, (field_error,))
    return value


def body_hash(document: JsonValue, *, secret: bytes = b"") -> str:
    """HMAC-SHA-256 of the canonical JSON, in hex: the order of names and white space do not count.

    Pass the number key as `secret` if the hash is stored: in a single message's body, the phone number is almost the
    only part that cannot be guessed.
    """
    return hmac.new(secret, canonical(document), hashlib.sha256).hexdigest()


# The client's preferences: RFC 9110 section 12.4.2, quality values.


_ENTRY = re.compile(r"([^\s;,]+)[ \t]*(?:;[ \t]*(?:q|Q)=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")


def preferred_language(accept_language: str) -> Language:
    """French if it is preferred to English, or named first with the same weight; otherwise English."""
    french, english = (_language_weight(accept_language, name) for name in ("fr", "en"))
    return "fr" if french > english else "en"


type _Weight = tuple[float, bool, int]
"""Quality; named (not matched by *); the earlier entry has the greater value."""

_NOT_WANTED: _Weight = (0.0, False, 0)


def _weighted(header: str) -> list[tuple[str, float, int]]:
    """(range, quality, rank) of every readable entry. Parameters other than q are ignored."""
    found = []
    for rank, entry in enumerate(header.lower().split(",")):
        name, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((p for p in parameters if p.startswith("q=")), "q=1")
        if match := _ENTRY.fullmatch(f"{name};{quality}"):
            found.append((match[1], float(match[2]), -rank))
    return found


def _language_weight(header: str, wanted: str) -> _Weight:
    entries = _weighted(header)
    named = [(quality, True, rank) for name, quality, rank in entries if name.split("-")[0] == wanted]
    return _best(named or [(quality, False, 0) for name, quality, _ in entries if name == "*"])


def _best(weights: list[_Weight]) -> _Weight:
    """The greatest weight. A quality of 0 is a refusal, even if the entry is named."""
    return max((weight for weight in weights if weight[0] > 0), default=_NOT_WANTED)
