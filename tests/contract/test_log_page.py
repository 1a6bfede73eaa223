"""Lists: newest first, each message exactly once, never another organisation's."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.counts import RECEIPT_MISSING, RECEIPT_MISSING_AFTER
from shared.messages.message import Chunk, Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log, LogQuery, Move, pages
from tests.contract.making import NOON, ORGANISATION, SECOND, message
from tests.contract.world import World

ALL = LogQuery(organisation=ORGANISATION)
PARENT = "5f0c2b1e-0000-5000-8000-000000000001"


def row(number: int, organisation: str = ORGANISATION) -> Message:
    """Three rows share each second; they differ in every field that a filter may use."""
    chunk = Chunk(distribution_id=f"d-{number % 5}", run=0, number=0)
    made = message(
        f"m-{number:02}",
        organisation=organisation,
        accepted_at=NOON + number // 3 * SECOND,
        channel=Channel.SMS if number % 2 else Channel.WHATSAPP,
        campaign_id=f"c-{number % 3}" if number % 4 else None,
        enrollment_id=f"e-{number % 6}" if number % 7 else None,
        chunk=chunk if number % 5 else None,
    )
    if number % 5 == 0 and number % 2:
        made = replace(made, parent_message_id=PARENT, parent_chunk=chunk)  # the fallback of one of its rows
    if number == 20:
        made = replace(made, parent_message_id=PARENT, resend_in="d-3")
    return replace(made, person=f"p-{number % 2}")


def newest_first(rows: list[Message]) -> list[str]:
    return [one.message_id for one in sorted(rows, key=lambda one: (one.accepted_at, one.message_id), reverse=True)]


async def walked(log: Log, query: LogQuery, limit: int) -> list[str]:
    found: list[str] = []
    position: str | None = None
    for _ in range(100):
        page = await log.page(query, position, limit)
        assert len(page.items) <= limit
        assert all(one.organisation == query.organisation for one in page.items)
        found += [one.message_id for one in page.items]
        position = page.position
        if position is None:
            return found
    pytest.fail("the list has no end")


async def filled(world: World, count: int = 24) -> list[Message]:
    rows = [row(number) for number in range(count)]
    await world.log.add_all(rows)
    await world.log.add_all([row(number, "other") for number in range(0, count, 3)])
    return rows


FILTERS: dict[str, tuple[LogQuery, Callable[[Message], bool]]] = {
    "none": (ALL, lambda _: True),
    "campaign": (replace(ALL, campaign_id="c-1"), lambda one: one.campaign_id == "c-1"),
    "distribution": (replace(ALL, distribution_id="d-2"), lambda one: one.distribution_id == "d-2"),
    "fallbacks": (replace(ALL, distribution_id="d-0"), lambda one: one.distribution_id == "d-0"),
    "person": (replace(ALL, person="p-1"), lambda one: one.person == "p-1"),
    "person and campaign": (
        replace(ALL, person="p-1", campaign_id="c-1", channel=Channel.SMS),
        lambda one: (one.person, one.campaign_id, one.channel) == ("p-1", "c-1", Channel.SMS),
    ),
    "enrollment": (replace(ALL, enrollment_id="e-3"), lambda one: one.enrollment_id == "e-3"),
    "channel": (replace(ALL, channel=Channel.SMS), lambda one: one.channel is Channel.SMS),
    "since": (replace(ALL, since=NOON + 4 * SECOND), lambda one: one.accepted_at >= NOON + 4 * SECOND),
    "until": (replace(ALL, until=NOON + 4 * SECOND), lambda one: one.accepted_at < NOON + 4 * SECOND),
    "between": (
        replace(ALL, since=NOON + 2 * SECOND, until=NOON + 3 * SECOND),
        lambda one: NOON + 2 * SECOND <= one.accepted_at < NOON + 3 * SECOND,
    ),
    "rows": (replace(ALL, via="distribution"), lambda one: one.chunk is not None),
    "single messages of a campaign": (
        replace(ALL, via="single", campaign_id="c-1"),
        lambda one: one.via == "single" and one.campaign_id == "c-1",
    ),
    "resends": (replace(ALL, via="resend"), lambda one: one.via == "resend"),
    "a distribution with the resend of one of its rows": (
        replace(ALL, distribution_id="d-3"),
        lambda one: one.distribution_id == "d-3" or one.message_id == "m-20",
    ),
    "an enrolment's rows": (
        replace(ALL, enrollment_id="e-3", via="distribution"),
        lambda one: one.enrollment_id == "e-3" and one.via == "distribution",
    ),
    "never": (replace(ALL, since=NOON + 3 * SECOND, until=NOON + 2 * SECOND), lambda _: False),
    "campaign and distribution": (
        replace(ALL, campaign_id="c-1", distribution_id="d-1"),
        lambda one: one.campaign_id == "c-1" and one.distribution_id == "d-1",
    ),
    "campaign and channel and since": (
        replace(ALL, campaign_id="c-2", channel=Channel.WHATSAPP, since=NOON + 3 * SECOND),
        lambda one: (
            one.campaign_id == "c-2" and one.channel is Channel.WHATSAPP and one.accepted_at >= NOON + 3 * SECOND
        ),
    ),
    "enrollment and campaign": (
        replace(ALL, enrollment_id="e-1", campaign_id="c-1"),
        lambda one: one.enrollment_id == "e-1" and one.campaign_id == "c-1",
    ),
    "enrollment and distribution and channel": (
        replace(ALL, enrollment_id="e-3", distribution_id="d-3", channel=Channel.SMS),
        lambda one: one.enrollment_id == "e-3" and one.distribution_id == "d-3" and one.channel is Channel.SMS,
    ),
    "a campaign that is not there": (replace(ALL, campaign_id="c-9"), lambda _: False),
    "a stranger": (replace(ALL, organisation="stranger"), lambda _: False),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(world: World, name: str) -> None:
    rows = await filled(world)
    query, matches = FILTERS[name]
    expected = newest_first([one for one in rows if matches(one)])
    assert await walked(world.log, query, 4) == expected
    whole = await world.log.page(query, None, 100)
    assert ([one.message_id for one in whole.items], whole.position) == (expected, None)


@pytest.mark.parametrize("about", [1, 4, 100])
@pytest.mark.parametrize("name", FILTERS)
async def test_read_in_stretches_it_is_the_same_list(world: World, name: str, about: int) -> None:
    rows = await filled(world)
    query, matches = FILTERS[name]
    found: list[Message] = []
    async for items in pages(lambda position: world.log.stretch(query, position, about)):
        found += items
    assert [one.message_id for one in found] == newest_first([one for one in rows if matches(one)])


@pytest.mark.parametrize("query", [ALL, replace(ALL, campaign_id="c-1"), replace(ALL, enrollment_id="e-1")])
@pytest.mark.parametrize("status", Status)
async def test_the_status_filter_uses_the_present_status(world: World, query: LogQuery, status: Status) -> None:
    rows = await filled(world)
    statuses = dict(zip((one.message_id for one in rows), itertools.cycle(Status), strict=False))
    for one, its in statuses.items():
        if its is Status.PENDING:
            continue
        await world.log.move(ORGANISATION, one, Move(status=its, at=NOON))
    of_query = [one for one in rows if query.campaign_id in (None, one.campaign_id)]
    of_query = [one for one in of_query if query.enrollment_id in (None, one.enrollment_id)]
    expected = newest_first([one for one in of_query if statuses[one.message_id] is status])
    assert await walked(world.log, replace(query, status=status), 3) == expected


@pytest.mark.parametrize("query", [ALL, replace(ALL, campaign_id="c-1"), replace(ALL, person="p-1")])
@pytest.mark.parametrize("limit", [2, 100])
async def test_the_reason_filter_uses_the_reason_that_is_shown(world: World, query: LogQuery, limit: int) -> None:
    rows = await filled(world)
    asked_at = NOON + RECEIPT_MISSING_AFTER + timedelta(minutes=3)
    reasons = itertools.cycle(("undeliverable", "cancelled", None, RECEIPT_MISSING))
    shown = dict(zip((one.message_id for one in rows), reasons, strict=False))
    for one, reason in shown.items():
        status = Status.SENT if reason in (None, RECEIPT_MISSING) else Status.FAILED
        at = NOON if reason == RECEIPT_MISSING else asked_at
        move = Move(status=status, at=at, reason=reason if status is Status.FAILED else None)
        await world.log.move(ORGANISATION, one, move)
    of_query = [one for one in rows if query.campaign_id in (None, one.campaign_id)]
    of_query = [one for one in of_query if query.person in (None, one.person)]
    for reason in ("undeliverable", RECEIPT_MISSING, "expired"):
        expected = newest_first([one for one in of_query if shown[one.message_id] == reason])
        assert await walked(world.log, replace(query, reason=reason, now=asked_at), limit) == expected


async def test_rows_are_not_read_for_messages_that_are_no_rows(world: World) -> None:
    """A campaign may have a million rows. Those of a distribution have partitions of their own."""
    chunk = Chunk(distribution_id="d-1", run=0, number=0)
    await world.log.add_all([message(f"r-{number:04}", chunk=chunk) for number in range(1200)])
    await world.log.add(replace(message("m-1"), accepted_at=NOON - SECOND))
    page = await world.log.page(LogQuery(organisation=ORGANISATION, campaign_id="c-1", via="single"), None, 1)
    assert ([one.message_id for one in page.items], page.position) == (["m-1"], None)


@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_each_message_is_listed_once_while_new_ones_arrive(world: World, limit: int) -> None:
    rows = await filled(world, 20)
    found: list[str] = []
    position: str | None = None
    for number in range(20, 60):
        page = await world.log.page(ALL, position, limit)
        found += [one.message_id for one in page.items]
        position = page.position
        if position is None:
            break
        await world.log.add(replace(row(number), accepted_at=NOON + timedelta(hours=1)))
    assert found == newest_first(rows)


async def test_a_cursor_below_the_period_ends_the_list(world: World) -> None:
    """A caller may narrow the period and keep the cursor of the wider one."""
    await filled(world)
    page = await world.log.page(ALL, None, 15)
    assert page.position is not None
    recent = replace(ALL, since=NOON + 6 * SECOND)
    assert (await world.log.page(recent, page.position, 10)).items == []


@pytest.mark.parametrize("channel", [None, Channel.SMS, Channel.WHATSAPP])
async def test_a_providers_id_finds_its_message(world: World, channel: Channel | None) -> None:
    rows = await filled(world)
    for organisation in (ORGANISATION, "other"):
        for number in (0, 3, 6):
            move = Move(status=Status.SENT, at=NOON, provider_message_id="wamid.A" if number else "wamid.B")
            await world.log.move(organisation, f"m-{number:02}", move)
    query = replace(ALL, provider_message_id="wamid.A", channel=channel)
    expected = [rows[6], rows[3]] if channel is None else [rows[3] if channel is Channel.SMS else rows[6]]
    assert await walked(world.log, query, 1) == [one.message_id for one in expected]
    assert await walked(world.log, replace(query, since=rows[6].accepted_at, channel=None), 9) == ["m-06"]
    assert await walked(world.log, replace(query, until=rows[6].accepted_at, channel=None), 9) == ["m-03"]
    for strange in ("wamid", "wamid.", "wamid.AA", "wamid.C"):
        assert await walked(world.log, replace(ALL, provider_message_id=strange), 9) == []
    assert await walked(world.log, replace(query, organisation="oth"), 9) == []


async def test_a_retried_message_is_no_longer_found_by_its_old_provider_id(world: World) -> None:
    await world.log.add(message())
    await world.log.claim(ORGANISATION, "m-1", token="t", now=NOON, lease_until=NOON + timedelta(seconds=90))
    await world.log.move(ORGANISATION, "m-1", Move(status=Status.SENT, at=NOON, provider_message_id="wamid.A"))
    query = replace(ALL, provider_message_id="wamid.A")
    assert await walked(world.log, query, 9) == ["m-1"]
    await world.log.retry_message(ORGANISATION, "m-1", attempt=1, due_at=NOON, as_template=False)
    assert await walked(world.log, query, 9) == []


@pytest.mark.parametrize("query", [ALL, replace(ALL, campaign_id="c-1")])
@pytest.mark.parametrize("wanted", [LogQuery(organisation=ORGANISATION, status=Status.FAILED), None])
async def test_failures_are_found_among_many_others_in_one_page(
    world: World, query: LogQuery, wanted: LogQuery | None
) -> None:
    """A list of failures reads only failed rows. A message that arrived after all, and one that failed before it was
    logged, are told apart."""
    chunk = Chunk(distribution_id="d-1", run=0, number=0)
    await world.log.add_all([message(f"r-{number:04}", chunk=chunk) for number in range(1200)])
    failed = Move(status=Status.FAILED, at=NOON, reason="undeliverable")
    for identity in ("r-0003", "r-0777"):
        assert (await world.log.move(ORGANISATION, identity, failed)).won
    assert (await world.log.move(ORGANISATION, "r-0777", Move(status=Status.DELIVERED, at=NOON))).won
    late = replace(message("s-1"), status=Status.FAILED, reason="undeliverable", failed_at=NOON)
    await world.log.add_all([late])
    filters = {"status": Status.FAILED} if wanted else {"reason": "undeliverable", "now": NOON}
    page = await world.log.page(replace(query, **filters), None, 2)
    assert [one.message_id for one in page.items] == ["s-1", "r-0003"]
    assert page.position is None
