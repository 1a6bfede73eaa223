"""IDs, instants and references: what keys are made of."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import instants
from shared.domain.ids import NumberKey, distribution_id, row_message_id, shard_of, single_message_id, stop_reply_id
from shared.domain.references import is_organisation, is_reference

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
PINNED = (
    "df6db177-c17c-5ba5-b872-6a6c9dc8c92d",
    "02789668-081c-5170-9a4d-322b3d71c2d0",
    "e9add021-281d-51f9-a530-9c32d04de44f",
)
organisations = st.from_regex(r"[A-Za-z0-9_-]{1,16}", fullmatch=True)


def test_ids_stay_what_they_are() -> None:
    """Written down: a change of these would send what was sent already once more."""
    distribution = distribution_id("demo", "key-1")
    assert distribution == str(UUID(distribution))
    assert UUID(distribution).version == 5
    assert {distribution_id("demo", "key-1") for _ in range(3)} == {distribution}
    assert (distribution, single_message_id("demo", "key-1"), row_message_id(distribution, 1)) == PINNED


def test_the_answer_to_a_stop_is_one_until_the_person_agrees_anew() -> None:
    agreed = datetime(2026, 11, 23, 12, tzinfo=UTC)
    first = stop_reply_id("demo", "person", None)
    assert first == "ae187a6c-c611-57ef-b544-f714d0b83984"
    others = {stop_reply_id("demo", "person", agreed), stop_reply_id("demo", "another", None)}
    assert len({*others, first, stop_reply_id("other", "person", None)}) == 4


@given(organisations, organisations, visible, visible)
def test_another_organisation_key_or_route_is_another_thing(one: str, two: str, key: str, other: str) -> None:
    made = {
        make(organisation, name)
        for make in (distribution_id, single_message_id)
        for organisation in {one, two}
        for name in {key, other}
    }
    assert len(made) == 2 * len({one, two}) * len({key, other})


def test_rows_of_a_distribution_are_messages_of_their_own() -> None:
    distributions = [distribution_id("demo", "a"), distribution_id("demo", "b")]
    assert len({row_message_id(each, row) for each in distributions for row in range(1, 501)}) == 1000


def test_shards_are_even() -> None:
    counts = Counter(shard_of(f"message-{n}", 8) for n in range(4000))
    assert set(counts) == set(range(8))
    assert min(counts.values()) > 400


def test_a_number_s_hash_is_keyed_and_per_organisation() -> None:
    key, other = NumberKey(b"k" * 32), NumberKey(b"l" * 32)
    number = "+221770000001"
    hashes = {key.person("demo", number), key.person("other", number), other.person("demo", number)}
    assert len(hashes) == 3
    assert key.person("demo", number) == NumberKey(b"k" * 32).person("demo", number)
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in hashes)
    assert not any("770000001" in one for one in hashes)


moments = st.timedeltas(timedelta(), timedelta(days=47_000)).map(lambda after: datetime(1970, 1, 1, tzinfo=UTC) + after)


@given(moments)
def test_microseconds_are_exact(moment: datetime) -> None:
    assert instants.from_microseconds(instants.microseconds(moment)) == moment


@given(moments)
def test_milliseconds_are_rounded_down(moment: datetime) -> None:
    back = instants.from_milliseconds(instants.milliseconds(moment))
    assert timedelta() <= moment - back < timedelta(milliseconds=1)


def test_zones_make_no_difference() -> None:
    cairo = datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=2)))
    assert instants.microseconds(cairo) == instants.microseconds(datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert instants.from_microseconds(0).tzinfo is UTC


@pytest.mark.parametrize("moment", [instants.microseconds, instants.milliseconds])
def test_an_instant_needs_its_zone(moment: object) -> None:
    assert callable(moment)
    with pytest.raises(TypeError):
        moment(datetime(2026, 11, 23))  # noqa: DTZ001 - a naive instant is what is refused


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("vaccination-2026-dakar", True),
        ("A_b-9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("campagne été", False),
        ("a b", False),
        ("a/b", False),
        ("a#b", False),
        ("a\n", False),
        ("٣٣٣", False),
        ("2026", True),
        ("1234567", True),
        ("12345678", False),
        ("2026-11-23", False),  # eight digits and dashes alone could be a number
        ("77-000-00-01", False),
        ("221770000001", False),
        ("00221770000001", False),
        ("770000001", False),
        ("c-770000001", True),
        ("dQ8rT2kLm4Z", True),
    ],
)
def test_references_hold_no_number(value: str, stands: bool) -> None:
    assert is_reference(value) is stands


@pytest.mark.parametrize(("value", "stands"), [("demo", True), ("12345678", True), ("a#b", False), ("", False)])
def test_organisations(value: str, stands: bool) -> None:
    assert is_organisation(value) is stands
