"""Meta's Graph API apart from sending: number, account and templates. Every call here may be repeated.

Templates (reference/whatsapp.md, section 6) are listed, submitted and read. A template can be used if we can fill it in
with our six variables:

- Named parameters must have our names.
- Positional parameters need examples with our names, as in `"body_text": [["first_name", "card_code"]]`, because
  nothing else says which is which.
- A header may be a picture, a fixed text or absent.
- Buttons may be fixed; one may be a URL that ends in a variable.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx2

from shared.base.json import JsonObject, JsonValue
from shared.cards.references import sample_picture
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.pacing.daily_limit import DailyLimit, NumberFacts
from shared.providers.answers import Call, identifier, integer, obj, objects, parse, text
from shared.providers.http import bearer, exchange
from shared.providers.meta.account import TEMPLATE_EVENTS, messaging_limit, template_language
from shared.providers.meta.client import API_VERSION
from shared.providers.meta.errors import error_from_response
from shared.texts.templates import (
    EXAMPLES,
    UTILITY,
    VARIABLES,
    KnownTemplate,
    Shape,
    Template,
    UrlButton,
    is_ready_made,
)
from shared.webhooks.updates import TemplateStatus

NUMBER_FIELDS = (
    "display_phone_number",
    "verified_name",
    "name_status",
    "code_verification_status",
    "quality_rating",
    "throughput",
    "whatsapp_business_manager_messaging_limit",
    "health_status",
)

PLAIN_FIELDS = NUMBER_FIELDS[:2] + NUMBER_FIELDS[4:5]
"""Fields that every token and version may read. They are requested if Meta refuses one of the others (code 100)."""

_LONGEST_WORDS = 200


class Graph:
    """Sends administrative requests to Meta. `base_url` has no version."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str) -> None:
        self._http = http
        self._base_url = f"{base_url.rstrip('/')}/{API_VERSION}"

    async def get(self, integration: WhatsAppIntegration, path: str, query: Mapping[str, str]) -> JsonObject:
        """GET. Returns the answer's JSON object. Raises SendError, also if the answer is not an object."""
        return await self.call(integration, "GET", path, params=dict(query))

    async def post(self, integration: WhatsAppIntegration, path: str, body: JsonObject) -> JsonObject:
        """POST. Returns and raises as `get`."""
        return await self.call(integration, "POST", path, json=body)

    async def call(  # noqa: PLR0913 - the parts of one HTTP request, by name
        self,
        integration: WhatsAppIntegration,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: JsonObject | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """One request. Raises SendError; its code includes Meta's subcode if there is one."""
        whole = {**bearer(integration.access_token.value), **(headers or {})}
        url = f"{self._base_url}/{path}"
        async with exchange(Call.REPEATABLE):
            answer = await self._http.request(method, url, params=params, json=json, content=content, headers=whole)
        if not answer.is_success:
            raise _error(answer)
        document = parse(answer.content)
        if not isinstance(document, dict):
            raise SendError(Kind.RETRY, "answer_unreadable")
        return document

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """Meta's facts about the sender number. Raises SendError."""
        path = segment(integration.phone_number_id)
        try:
            found = await self.get(integration, path, {"fields": ",".join(NUMBER_FIELDS)})
        except SendError as error:
            if error.code != "100":
                raise
            found = await self.get(integration, path, {"fields": ",".join(PLAIN_FIELDS)})
        return number_facts(found)

    async def is_subscribed(self, integration: WhatsAppIntegration, account: str) -> bool:
        """Whether an app receives the account's webhooks. Raises SendError."""
        found = await self.get(integration, f"{segment(account)}/subscribed_apps", {})
        return bool(objects(found.get("data")))


def segment(identity: str) -> str:
    """An ID as one part of a path."""
    return quote(identity, safe="")


def number_facts(found: JsonObject) -> NumberFacts:
    """The facts of an answer. A field that is absent or has another type is None. Never raises."""
    limit = messaging_limit(found.get("whatsapp_business_manager_messaging_limit"))
    throughput = found.get("throughput")
    verified = text(found.get("code_verification_status"))
    health = obj(found.get("health_status"))
    return NumberFacts(
        display_phone_number=text(found.get("display_phone_number")) or None,
        verified_name=text(found.get("verified_name")) or None,
        name_status=text(found.get("name_status")) or None,
        is_verified=verified == "VERIFIED" if verified else None,
        quality=text(found.get("quality_rating")).upper() or None,
        throughput=text(obj(throughput).get("level")) or None,
        limit=DailyLimit(people=limit[0]) if limit else None,
        can_send=text(health.get("can_send_message")).upper() or None,
        problems=tuple(_problems(health)),
    )


def _problems(health: JsonObject) -> list[str]:
    errors = [error for entity in objects(health.get("entities")) for error in objects(entity.get("errors"))]
    reported = (f"{text(one.get('error_description'))} {text(one.get('possible_solution'))}".strip() for one in errors)
    return [words[:_LONGEST_WORDS] for words in dict.fromkeys(reported) if words]


def _error(answer: httpx2.Response) -> SendError:
    error = error_from_response(answer.status_code, answer.content, Call.REPEATABLE)
    subcode = integer(obj(obj(parse(answer.content)).get("error")).get("error_subcode"))
    if subcode:
        error.code = f"{error.code}/{subcode}"
    return error


LISTED_FIELDS = "id,name,language,category,status,parameter_format,components"

PAGE = "100"

MOST_PAGES = 100
"""An account may have at most 6,000 templates (reference, section 3)."""

MOST_RESTARTS = 2

BAD_CURSOR = "131059"

THERE_ALREADY = frozenset({"100/2388023", "100/2388024"})
"""A template of that name and language exists, or is being deleted."""


class MetaTemplates:
    """`TemplatesAtMeta` on the Graph API."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def listed(self, integration: WhatsAppIntegration, account: str, at: datetime) -> Sequence[KnownTemplate]:
        """As in `TemplatesAtMeta`. If Meta refuses a cursor, the listing starts again."""
        for _ in range(MOST_RESTARTS):
            try:
                return await self._pages(integration, account, at)
            except SendError as error:
                if error.code.partition("/")[0] != BAD_CURSOR:
                    raise
        return await self._pages(integration, account, at)

    async def create(
        self, integration: WhatsAppIntegration, account: str, template: Template, handle: str, at: datetime
    ) -> KnownTemplate | None:
        body: JsonObject = {"name": template.name, "language": template.language, **_content(template, handle)}
        try:
            answer = await self._graph.post(integration, f"{segment(account)}/message_templates", body)
        except SendError as error:
            if error.code in THERE_ALREADY:
                return None
            raise
        return KnownTemplate(
            name=template.name,
            language=template.language,
            status=TEMPLATE_EVENTS.get(text(answer.get("status")).upper(), TemplateStatus.PENDING),
            reported_at=at,
            category=text(answer.get("category")).upper() or UTILITY,
            shape=template.shape,
            template_id=identifier(answer.get("id")) or None,
        )

    async def revise(self, integration: WhatsAppIntegration, template: Template, template_id: str, handle: str) -> None:
        await self._graph.post(integration, segment(template_id), _content(template, handle))

    async def example(self, integration: WhatsAppIntegration) -> str:
        """As in `TemplatesAtMeta`. The upload is a resumable one with one part. `app` in the path means the token's own
        app.
        """
        content = sample_picture()
        described = {"file_name": "card.png", "file_length": str(len(content)), "file_type": "image/png"}
        session = await self._graph.call(integration, "POST", "app/uploads", params=described)
        headers = {"Authorization": f"OAuth {integration.access_token.value}", "file_offset": "0"}
        path = _session_path(text(session.get("id")))
        uploaded = await self._graph.call(integration, "POST", path, content=content, headers=headers)
        handle = text(uploaded.get("h"))
        if not handle:
            raise SendError(Kind.RETRY, "uploaded_without_handle")
        return handle

    async def _pages(self, integration: WhatsAppIntegration, account: str, at: datetime) -> list[KnownTemplate]:
        """All pages, by cursor. `next` is a whole URL with the token, so it only tells whether there is another
        page.
        """
        query = {"fields": LISTED_FIELDS, "limit": PAGE}
        found: list[KnownTemplate] = []
        for _ in range(MOST_PAGES):
            answer = await self._graph.get(integration, f"{segment(account)}/message_templates", query)
            found += [one for item in objects(answer.get("data")) if (one := known_template(item, at)) is not None]
            paging = obj(answer.get("paging"))
            after = text(obj(paging.get("cursors")).get("after"))
            if not paging.get("next") or not after:
                break
            query = {**query, "after": after}
        return found


def known_template(item: JsonObject, at: datetime) -> KnownTemplate | None:
    """A template of the list; None if it is neither ready-made nor one that we can fill in."""
    name, language = text(item.get("name")), template_language(item.get("language"))
    shape = shape_of(item)
    if not name or not language or (shape is None and not is_ready_made(name)):
        return None
    return KnownTemplate(
        name=name,
        language=language,
        status=TEMPLATE_EVENTS.get(text(item.get("status")).upper()),
        reported_at=at,
        category=text(item.get("category")).upper() or None,
        shape=shape,
        template_id=identifier(item.get("id")) or None,
    )


def _content(template: Template, handle: str) -> JsonObject:
    """Category and components, for a new template and for one that is submitted again."""
    return {
        "category": UTILITY,
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}},
            {
                "type": "BODY",
                "text": in_braces_of_meta(template.whatsapp),
                "example": {
                    "body_text_named_params": [
                        {"param_name": name, "example": EXAMPLES[name]} for name in template.shape.parameters
                    ]
                },
            },
        ],
    }


def _session_path(session: str) -> str:
    """The path of `upload:<session>`. Its colon, and the signature after the question mark, must stay as they are."""
    path, mark, query = session.partition("?")
    return f"{segment(path).replace('%3A', ':')}{mark}{query}"


_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

_ENDS_IN_VARIABLE = re.compile(r"([^{}]*)\{\{[^{}]*\}\}")

FIXED_BUTTONS = frozenset({"QUICK_REPLY", "PHONE_NUMBER"})


class _UnfitError(Exception):
    """The template needs a value that we do not have."""


def shape_of(item: JsonObject) -> Shape | None:
    """The shape of a template in Meta's list; None if our variables cannot fill it in."""
    components = objects(item.get("components"))
    kinds = [text(component.get("type")).upper() for component in components]
    if kinds.count("BODY") != 1 or len(set(kinds)) != len(kinds):
        return None
    by_kind = dict(zip(kinds, components, strict=True))
    if not by_kind.keys() <= {"HEADER", "BODY", "FOOTER", "BUTTONS"}:
        return None
    try:
        return _shape(item, by_kind)
    except _UnfitError:
        return None


def in_braces_of_meta(body: str) -> str:
    """A text with our variables, `{first_name}`, in Meta's notation: `{{first_name}}`."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", body)


def _shape(item: JsonObject, by_kind: dict[str, JsonObject]) -> Shape:
    body = by_kind["BODY"]
    wording = text(body.get("text"))
    written = list(dict.fromkeys(_VARIABLE.findall(wording)))
    stated = text(item.get("parameter_format")).upper()
    positional = stated == "POSITIONAL" if stated else bool(written) and all(name.isdigit() for name in written)
    named = _positions(written, body) if positional else {name: name for name in written}
    if not set(named.values()) <= set(VARIABLES):
        raise _UnfitError
    return Shape(
        body=_in_our_braces(wording, named),
        parameters=tuple(named.values()),
        positional=positional,
        has_picture=_has_picture(by_kind.get("HEADER")),
        button=_button(objects(by_kind.get("BUTTONS", {}).get("buttons"))),
    )


def _positions(written: Sequence[str], body: JsonObject) -> dict[str, str]:
    """{"1": "first_name", …} from the examples, in Meta's order. The numbers must run from 1 without a gap."""
    numbers = sorted(written, key=lambda number: int(number) if number.isdecimal() else 0)
    rows = obj(body.get("example")).get("body_text")
    examples = _first_row(rows)
    if numbers != [str(place) for place in range(1, len(numbers) + 1)] or len(examples) < len(numbers):
        raise _UnfitError
    return {number: text(examples[int(number) - 1]).strip().strip("{}") for number in numbers}


def _first_row(rows: JsonValue) -> list[JsonValue]:
    if not isinstance(rows, list):
        return []
    first = rows[0] if rows else None
    return first if isinstance(first, list) else rows


def _in_our_braces(wording: str, named: dict[str, str]) -> str:
    """Meta's text with our variables. Other braces are doubled, so that they stay braces."""
    pieces = _VARIABLE.split(wording)
    fixed = [piece.replace("{", "{{").replace("}", "}}") for piece in pieces[::2]]
    filled = ["{" + named[name] + "}" for name in pieces[1::2]] + [""]
    return "".join(before + variable for before, variable in zip(fixed, filled, strict=True))


def _has_picture(header: JsonObject | None) -> bool:
    form = text(header.get("format")).upper() if header is not None else ""
    if header is None or (form == "TEXT" and not _VARIABLE.search(text(header.get("text")))):
        return False
    if form == "IMAGE":
        return True
    raise _UnfitError


def _button(buttons: Sequence[JsonObject]) -> UrlButton | None:
    """The one button with a variable; None if there is none."""
    found: UrlButton | None = None
    for index, button in enumerate(buttons):
        kind, url = text(button.get("type")).upper(), text(button.get("url"))
        if kind in FIXED_BUTTONS or (kind == "URL" and not _VARIABLE.search(url)):
            continue
        ending = _ENDS_IN_VARIABLE.fullmatch(url)
        if kind != "URL" or ending is None or found is not None:
            raise _UnfitError
        found = UrlButton(index=index, prefix=ending[1])
    return found
