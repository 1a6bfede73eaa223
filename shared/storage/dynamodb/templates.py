"""Templates of WhatsApp accounts on the state table: one item for each name and language, one for the last reading."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from botocore.exceptions import ClientError

from shared.base.instants import from_microseconds, microseconds
from shared.integrations.templates import TemplateUpdateResult
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    partition,
    put_if_absent,
    stored_item,
    text,
    whole,
)
from shared.texts.templates import UTILITY, KnownTemplate, Listing, Shape
from shared.webhooks.updates import TemplateStatus, TemplateUpdate

_ITEM = "template#"

_READING = "reading"

_SECOND = 1_000_000


class DynamoTemplates:
    """`TemplateBook`. Status and category each have their own instant: the later report wins."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def listing(self, organisation: str, account: str) -> Listing:
        items = await partition(self._aws, self._table, _pk(organisation, account))
        reading = next((item for item in items if item["sk"] == _READING), None)
        return Listing(
            templates=tuple(_template(item) for item in items if item["sk"] != _READING),
            read_at=from_microseconds(int(reading["read_at"])) if reading else None,
        )

    async def named(self, organisation: str, account: str, name: str) -> Sequence[KnownTemplate]:
        items = await partition(self._aws, self._table, _pk(organisation, account), f"{_ITEM}{name}#")
        return [_template(item) for item in items]

    async def receive(self, organisation: str, account: str, webhook_event: TemplateUpdate) -> TemplateUpdateResult:
        return await self._aws.run(
            partial(
                self._receive, _key(organisation, account, webhook_event.name, webhook_event.language), webhook_event
            )
        )

    async def submitted(self, organisation: str, account: str, template: KnownTemplate) -> None:
        await self._aws.run(partial(self._take, _pk(organisation, account), template))

    async def read(self, organisation: str, account: str, found: Sequence[KnownTemplate], at: datetime) -> None:
        """The mark of the reading is written last: a reading that dies on the way is done again."""
        pk = _pk(organisation, account)
        stored = {str(item["sk"]): item for item in await partition(self._aws, self._table, pk, _ITEM)}
        listed = {_sk(one.name, one.language): one for one in found}
        new = [one for sk, one in listed.items() if not _says(stored.get(sk), one)]
        await self._aws.run_all([partial(self._take, pk, one) for one in new])
        gone = [sk for sk in stored if sk not in listed]
        await self._aws.run_all([partial(self._forget, {"pk": pk, "sk": sk}, at) for sk in gone])
        await self._aws.run(partial(self._mark, pk, at))

    def _receive(self, key: Mapping[str, str], webhook_event: TemplateUpdate) -> TemplateUpdateResult:
        at = _seconds(webhook_event.at)
        put_if_absent(self._aws, self._table, {**key, "name": webhook_event.name, "language": webhook_event.language})
        is_new, is_recategorised = False, False
        if webhook_event.status is not None:
            update = Update(
                sets={"state": str(webhook_event.status), "reported_at": at},
                conditions=("(attribute_not_exists(reported_at) OR reported_at <= :at)",),
                values={":at": at},
            )
            is_new = changed(self._aws, self._table, key, update).done
        if webhook_event.category is not None:
            recategorised_at = self._categorise(key, webhook_event.category, at, also_same_second=True)
            is_recategorised = recategorised_at == at
            is_new = is_new or is_recategorised
        return TemplateUpdateResult(is_new=is_new, is_recategorised=is_recategorised)

    def _take(self, pk: str, template: KnownTemplate) -> None:
        """Store what Meta answered: the status unless a report as late is known, the form in any case."""
        key = {"pk": pk, "sk": _sk(template.name, template.language)}
        at = _seconds(template.reported_at)
        form: dict[str, Plain] = {"form": encode(template.shape).decode()} if template.shape else {}
        identity: dict[str, Plain] = {"template_id": template.template_id} if template.template_id else {}
        put_if_absent(self._aws, self._table, {**key, "name": template.name, "language": template.language})
        kept = Update(sets={**form, **identity, "name": template.name}, removes=() if template.shape else ("form",))
        changed(self._aws, self._table, key, kept)
        if template.category is not None:
            self._categorise(key, template.category, at, also_same_second=False)
        state: dict[str, Plain] = {"state": str(template.status)} if template.status else {}
        status = Update(
            sets={**state, "reported_at": at},
            removes=() if template.status else ("state",),
            conditions=("(attribute_not_exists(reported_at) OR reported_at < :at)",),
            values={":at": at},
        )
        changed(self._aws, self._table, key, status)

    def _categorise(self, key: Mapping[str, str], category: str, at: int, *, also_same_second: bool) -> int | None:
        """Store a category. Returns when the template left the Utility category; None while it is in it."""
        later = "category_at <= :at" if also_same_second else "category_at < :at"
        known = f"(attribute_not_exists(category_at) OR {later})"
        sets: dict[str, Plain] = {"category": category, "category_at": at}
        if category == UTILITY:
            back = Update(sets=sets, removes=("recategorised_at",), conditions=(known,), values={":at": at})
            changed(self._aws, self._table, key, back)
            return None
        # A webhook event about a change proves that the category was different before, even if we never read it.
        before = (
            "(attribute_not_exists(category) OR category = :utility)" if also_same_second else "category = :utility"
        )
        leaves_utility = Update(
            sets={**sets, "recategorised_at": at},
            conditions=(known, before),
            values={":at": at, ":utility": UTILITY},
        )
        change = changed(self._aws, self._table, key, leaves_utility)
        if not change.done:
            change = changed(self._aws, self._table, key, Update(sets=sets, conditions=(known,), values={":at": at}))
        return whole(change.item or {}, "recategorised_at")

    def _forget(self, key: Mapping[str, str], at: datetime) -> None:
        """The template is no longer in Meta's list. It stays if a webhook event came while the list was read."""
        try:
            self._aws.dynamodb.delete_item(
                TableName=self._table,
                Key=attributes(key),
                ConditionExpression="attribute_not_exists(reported_at) OR reported_at < :at",
                ExpressionAttributeValues={":at": attribute(_seconds(at))},
            )
        except ClientError as error:
            stored_item(error)

    def _mark(self, pk: str, at: datetime) -> None:
        key = {"pk": pk, "sk": _READING}
        if put_if_absent(self._aws, self._table, {**key, "read_at": microseconds(at)}):
            return
        update = Update(
            sets={"read_at": microseconds(at)}, conditions=("read_at < :at",), values={":at": microseconds(at)}
        )
        changed(self._aws, self._table, key, update)


def _pk(organisation: str, account: str) -> str:
    return f"{organisation}#templates#{account}"


def _sk(name: str, language: str) -> str:
    return f"{_ITEM}{name}#{language}"


def _key(organisation: str, account: str, name: str, language: str) -> dict[str, str]:
    return {"pk": _pk(organisation, account), "sk": _sk(name, language)}


def _seconds(instant: datetime) -> int:
    """Whole seconds, in microseconds like every instant of the table."""
    return microseconds(instant) // _SECOND * _SECOND


def _says(item: Item | None, template: KnownTemplate) -> bool:
    """Whether the item says the same already. Most of a list never changes, and then costs no write."""
    if item is None:
        return False
    known = _template(item)
    same = (known.status, known.category, known.shape, known.template_id)
    return same == (template.status, template.category, template.shape, template.template_id)


def _template(item: Item) -> KnownTemplate:
    state, form = text(item, "state"), text(item, "form")
    recategorised_at = whole(item, "recategorised_at")
    return KnownTemplate(
        name=str(item["name"]),
        language=str(item["language"]),
        status=TemplateStatus(state) if state else None,
        reported_at=from_microseconds(whole(item, "reported_at") or whole(item, "category_at") or 0),
        category=text(item, "category"),
        recategorised_at=from_microseconds(recategorised_at) if recategorised_at is not None else None,
        shape=decode(form, Shape) if form else None,
        template_id=text(item, "template_id"),
    )
