"""The rows and the texts of exports: the API's own documents of messages, rejected rows and duplicates."""

from dataclasses import dataclass

from shared.api import documents, problems
from shared.api.texts.sentences import TextKind, text
from shared.base.instants import Clock
from shared.campaigns.ports import Distributions
from shared.campaigns.reading import Browse
from shared.exports.export import ExportOrder, Kind, Language
from shared.exports.ports import ContentGoneError, Document
from shared.messages.ports import LogQuery, Page

MESSAGES_A_PAGE = 2000
"""Of the log, in one round of queries: about 1 MB of a CSV."""

_ROWS_A_PAGE = 1000
"""Of a plan's rejected rows or duplicates, which are stored a thousand at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRows:
    """`Rows`, from what the API's lists are made of."""

    browse: Browse
    distributions: Distributions
    clock: Clock

    async def page(self, organisation: str, order: ExportOrder, position: str | None) -> Page[Document]:
        if order.kind is Kind.MESSAGES:
            return await self._messages(organisation, order, position)
        return await self._rows_of_a_plan(organisation, order, position)

    async def _messages(self, organisation: str, order: ExportOrder, position: str | None) -> Page[Document]:
        query = LogQuery(
            organisation=organisation,
            campaign_id=order.campaign_id,
            distribution_id=order.distribution_id,
            status=order.status,
            since=order.since,
            until=order.until,
        )
        page = await self.browse.stretch(query, position, MESSAGES_A_PAGE)
        now = self.clock.now()
        items = [documents.message(view, now, order.language) for view in page.items]
        return Page(items=items, position=page.position)

    async def _rows_of_a_plan(self, organisation: str, order: ExportOrder, position: str | None) -> Page[Document]:
        """The position is a stored part and a place in it."""
        identity = order.distribution_id or ""
        part, start = map(int, position.split(".")) if position else (0, 0)
        items: list[Document]
        if order.kind is Kind.REJECTED_ROWS:
            errors, following = await self.browse.field_errors(organisation, identity, part, start, _ROWS_A_PAGE)
            items = [problems.field_error_document(error, order.language) for error in errors]
        else:
            rows, following = await self.browse.duplicates(organisation, identity, part, start, _ROWS_A_PAGE)
            items = [documents.duplicate(row) for row in rows]
        if not items and await self._should_have_some(organisation, order):
            raise ContentGoneError
        return Page(items=items, position=f"{following[0]}.{following[1]}" if following else None)

    async def _should_have_some(self, organisation: str, order: ExportOrder) -> bool:
        distribution = await self.distributions.get(organisation, order.distribution_id or "")
        plan = distribution.plan if distribution else None
        if plan is None:
            return False
        return (plan.rejected if order.kind is Kind.REJECTED_ROWS else plan.duplicates) > 0


class SheetWording:
    """`Wording`, from the API's texts."""

    def title(self, column: str, language: Language) -> str:
        return text(TextKind.COLUMN, column, language)

    def term(self, column: str, value: str, language: Language) -> str:
        return text(TextKind.TERM, f"{column}.{value}", language)
