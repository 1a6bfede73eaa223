"""IDs, instants and references: the parts of keys."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.base import instants
from shared.base.ids import distribution_id, is_organisation, row_message_id, shard_of, single_message_id, stop_reply_id
from shared.recipients.countries import COVERED
from shared.recipients.number_key import NumberKey
from shared.recipients.recipient import is_reference

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
PINNED = (
    "df6db177-c17c-5ba5-b872-6a6c9dc8c92d",
    "02789668-081c-5170-9a4d-322b3d71c2d0",
    "e9add021-281d-51f9-a530-9c32d04de44f",
)
organisations = st.from_regex(r"[A-Za-z0-9_-]{1,16}", fullmatch=True)


def test_ids_never_change() -> None:
    """The values are written out: if they changed, messages that were sent would be sent again."""
    distribution = distribution_id("demo", "key-1")
    assert distribution == str(UUID(distribution))
    assert UUID(distribution).version == 5
    assert {distribution_id("demo", "key-1") for _ in range(3)} == {distribution}
    assert (distribution, single_message_id("demo", "key-1"), row_message_id(distribution, 1)) == PINNED


def test_the_answer_to_a_stop_has_one_id_until_the_person_agrees_again() -> None:
    agreed = datetime(2026, 11, 23, 12, tzinfo=UTC)
    first = stop_reply_id("demo", "person", None)
    assert first == "ae187a6c-c611-57ef-b544-f714d0b83984"
    others = {stop_reply_id("demo", "person", agreed), stop_reply_id("demo", "another", None)}
    assert len({*others, first, stop_reply_id("other", "person", None)}) == 4


@given(organisations, organisations, visible, visible)
def test_another_organisation_key_or_route_has_another_id(one: str, two: str, key: str, other: str) -> None:
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
        ("2026-11-23", True),
        ("20261123", True),
        ("2026-11-0042", False),  # eight digits and dashes alone could be a number
        ("77-000-00-01", False),
        ("221770000001", False),
        ("00221770000001", False),
        ("770000001", False),
        ("dQ8rT2kLm4Z", True),
    ],
)
def test_references_may_not_contain_a_number(value: str, stands: bool) -> None:
    assert is_reference(value) is stands


HIDDEN = (
    *("p221771234567", "x-74073231", "c-770000001", "enr_770000001x", "id00221771234567", "awa771234567diallo"),
    *("p-77-123-45-67", "a221-77-123-45-67", "x_77_000_00_01", "BF-74-07-32-31", "S-77-1234567", "p77-1234567"),
    *("CI0707123456", "abc22507070707", "mg0321234567", "e01012345678", "p33612345678", "2026-11-23-770000001"),
    *("vaccination-2026-11-23-74073231", "ENR12345678", "e5f0c2b1-771234567"),
)
HARMLESS = (
    *("vaccination-2026-11-23", "c-20261123", "23-11-2026", "2026-11-23-0001", "20261123T093000", "HH-202611230930"),
    *("CARD-2026-000123", "CARD2026000123", "DKR-2026-0001", "camp-2025-2026", "s-2026-11-0042", "REG-0001"),
    *("ENR-00000123", "ENR-123456789", "c1795428000000", "c1795428000", "PEV-2026-11-cartes", "DKR-VAC-0000001"),
    *("5f0c2b1e-0000-5000-8000-000000000001", "enr_5f0c2b1e-1234-4000-8000-771234567890"),
    *("00000000-0000-0000-0000-000000000001", "aPhoneAttr1", "eFirst00001", "A0000000000"),
    *("507f1f77bcf86cd799439011", "01KB3NDEKTSV4RRFFQ69G5FAV0", "9f86d08188417d659a2feaa0c55ad015"),
)


@pytest.mark.parametrize("value", HIDDEN)
def test_a_number_between_letters_is_found_in_a_reference(value: str) -> None:
    assert not is_reference(value)


@pytest.mark.parametrize("value", HARMLESS)
def test_dates_counters_and_random_tokens_are_valid_references(value: str) -> None:
    assert is_reference(value)


MOBILES = {
    "SN": r"7[0678][0-9]{7}",
    "CI": r"0[157][0-9]{8}",
    "ML": r"[67][0-9]{7}",
    "BF": r"7[0-9]{7}",
    "GN": r"62[0-9]{7}",
    "CM": r"67[0-9]{7}",
    "MG": r"3[234][0-9]{7}",
    "TN": r"5[0-9]{7}",
    "EG": r"1[0125][0-9]{8}",
}
letters = st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True)


@given(st.data(), st.sampled_from(sorted(MOBILES)), letters, st.sampled_from(["", "-", "_"]), letters)
def test_a_mobile_number_of_any_covered_country_is_found(
    data: st.DataObject, country: str, before: str, gap: str, after: str
) -> None:
    """National, with its calling code, and with 00; as one run of digits, and in groups of two."""
    national = data.draw(st.from_regex(MOBILES[country], fullmatch=True))
    assume(phonenumbers.is_valid_number(phonenumbers.parse(national, country)))
    code = COVERED[country].calling_code
    for number in (national, code + national, f"00{code}{national}"):
        assert not is_reference(f"{before}{gap}{number}{gap}{after}")
        grouped = "-".join(number[place : place + 2] for place in range(0, len(number), 2))
        assert not is_reference(f"{before}-{grouped}")


@given(st.uuids(), letters, st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_uuids_and_dates_are_always_valid_references(uuid: UUID, before: str, day: date) -> None:
    for value in (str(uuid), str(uuid).upper(), f"{before}_{uuid}", f"{before}-{day}", f"{day}", f"{day:%Y%m%d}"):
        assert is_reference(value)


@pytest.mark.parametrize(("value", "stands"), [("demo", True), ("12345678", True), ("a#b", False), ("", False)])
def test_organisations(value: str, stands: bool) -> None:
    assert is_organisation(value) is stands
