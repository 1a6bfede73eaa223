"""Templates at Meta: listed, submitted, and read for what we could fill them in with (reference/whatsapp.md §6)."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.catalogue import UTILITY, KnownTemplate, is_ready_made
from shared.domain.errors import Kind, SendError
from shared.domain.integration import WhatsAppIntegration
from shared.domain.json import JsonObject
from shared.domain.news import TemplateStatus
from shared.domain.sample_card import picture
from shared.domain.templates import EXAMPLES, Template
from shared.providers.answers import identifier, obj, objects, text
from shared.providers.whatsapp.account import TEMPLATE_EVENTS, template_language
from shared.providers.whatsapp.graph import Graph, segment
from shared.providers.whatsapp.template_shape import in_braces_of_meta, shape_of

LISTED_FIELDS = "id,name,language,category,status,parameter_format,components"
PAGE = "100"
MOST_PAGES = 100
"""6,000 templates are the most that an account may have (reference, section 3)."""
MOST_RESTARTS = 2
BAD_CURSOR = "131059"
THERE_ALREADY = frozenset({"100/2388023", "100/2388024"})
"""There is a template of that name in that language, or one that is being deleted."""


class MetaTemplates:
    """`TemplatesAtMeta` on the Graph API."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def listed(self, integration: WhatsAppIntegration, account: str, at: datetime) -> Sequence[KnownTemplate]:
        """See `TemplatesAtMeta`. A cursor that Meta no longer takes restarts the listing."""
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
        """See `TemplatesAtMeta`."""
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
            told_at=at,
            category=text(answer.get("category")).upper() or UTILITY,
            shape=template.shape,
            template_id=identifier(answer.get("id")) or None,
        )

    async def revise(self, integration: WhatsAppIntegration, template: Template, template_id: str, handle: str) -> None:
        """See `TemplatesAtMeta`."""
        await self._graph.post(integration, segment(template_id), _content(template, handle))

    async def example(self, integration: WhatsAppIntegration) -> str:
        """See `TemplatesAtMeta`: a resumable upload, of one part. `app` stands for the token's own app."""
        content = picture()
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
        """By cursors; `next`, a whole URL that holds the token, is only looked at."""
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
    """One of the list; None for what is neither ready-made nor of a kind that we can fill in."""
    name, language = text(item.get("name")), template_language(item.get("language"))
    shape = shape_of(item)
    if not name or not language or (shape is None and not is_ready_made(name)):
        return None
    return KnownTemplate(
        name=name,
        language=language,
        status=TEMPLATE_EVENTS.get(text(item.get("status")).upper()),
        told_at=at,
        category=text(item.get("category")).upper() or None,
        shape=shape,
        template_id=identifier(item.get("id")) or None,
    )


def _content(template: Template, handle: str) -> JsonObject:
    """Category and components, the same for a new template and for one that is tried again."""
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
    """`upload:<session>`: its colon, and what follows a question mark (a signature), are part of the address."""
    path, mark, query = session.partition("?")
    return f"{segment(path).replace('%3A', ':')}{mark}{query}"
