import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.instants import from_rfc3339, rfc3339, rfc3339_or_none
from shared.base.json import JsonValue, canonical, merge_patch, parse_bytes, render

DOCUMENTS: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(document=DOCUMENTS)
def test_written_json_can_be_read_again(document: JsonValue) -> None:
    assert parse_bytes(render(document).encode()) == document
    assert parse_bytes(canonical(document)) == document


@given(body=st.binary())
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        parse_bytes(body)
    except ValueError:
        return


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a": 1, "a": 2}',
        b'[{"a": {"b": 1, "b": 1}}]',
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        rb'{"\udfff": 1, "\ud800": 1}',
        b'["\xed\xa0\x80"]',
        b"[" * 100_000,
        b"9" * 5000,
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
        b"{} {}",
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_bytes(body)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_bytes(rb'["\ud83d\ude00"]') == ["😀"]


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (rb'["\ud800"]', ["\uffff"]),
        (rb'["a\udfffb\ud83d\ude00\ude00", 1.5, true]', ["a\uffffb😀\uffff", 1.5, True]),
        (rb'["\ude00\ud83d"]', ["\uffff\uffff"]),
        (rb'["\\ud800"]', ["\\ud800"]),
        (rb'{"\udfff": {"x": "\ud800"}}', {"\uffff": {"x": "\uffff"}}),
    ],
)
def test_half_a_pair_is_no_character(body: bytes, read: object) -> None:
    """The RFC's grammar allows half a pair, but no text can hold it. It is removed when a message is composed."""
    assert parse_bytes(body) == read


def test_writing() -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=2)))
    assert render({"é": at, "price": Decimal("12.50")}) == '{"é":"2026-11-23T10:00:00Z","price":"12.50"}'
    with pytest.raises(ValueError, match=r"."):
        render(math.nan)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23t10:00:00z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.250Z", datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-23T10:00:00.123456789Z", datetime(2026, 11, 23, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-23T11:00:00+01:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2024-02-29T00:00:00-03:00", datetime(2024, 2, 29, 3, tzinfo=UTC)),
    ],
)
def test_valid_times(text: str, expected: datetime) -> None:
    assert from_rfc3339(text) == expected
    assert from_rfc3339(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00",
        "2026-11-23",
        "2026-02-30T00:00:00Z",
        "2026-11-23T24:30:00Z",
        "2026-11-23T10:00Z",
        "20261123T100000Z",
        "2026-11-23T10:00:00+0100",
        "0001-01-01T00:00:00+14:00",
        "2026-11-23T10:00:00Z\n",
        "٢٠٢٦-11-23T10:00:00Z",
        "2026-11-23T10:00:00+24:00",
        "soon",
        "",
    ],
)
def test_invalid_times(text: str) -> None:
    assert rfc3339_or_none(text) is None
    with pytest.raises(ValueError, match=r"."):
        from_rfc3339(text)


@given(at=st.datetimes(timezones=st.just(UTC)))
def test_times_are_written_with_milliseconds_only_if_they_have_some(at: datetime) -> None:
    written = rfc3339(at)
    assert from_rfc3339(written) == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert ("." in written) == (at.microsecond >= 1000)
    assert written.endswith("Z")


@pytest.mark.parametrize(("written", "read"), [(b"1.0", 1), (b"-2.50e1", -25), (b"4e2", 400), (b"-0.0", 0)])
def test_a_whole_number_is_an_int_in_every_notation(written: bytes, read: int) -> None:
    found = parse_bytes(written)
    assert (found, type(found)) == (read, int)


@pytest.mark.parametrize("written", [b"1.5", b"1e300", b"9007199254740994.0"])
def test_a_fraction_or_an_inexact_number_stays_a_float(written: bytes) -> None:
    assert type(parse_bytes(written)) is float


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_of_rfc_7396(target: JsonValue, patch: JsonValue, merged: JsonValue) -> None:
    """The examples of its Appendix A."""
    before = canonical(target)
    assert merge_patch(target, patch) == merged
    assert canonical(target) == before
