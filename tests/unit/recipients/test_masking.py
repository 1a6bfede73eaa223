import base64
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.recipients.masking import blank_number_in_wamid, mask, without_numbers


@pytest.mark.parametrize(
    ("e164", "masked"),
    [
        ("+221770000001", "+22177***0001"),
        ("+2250700000001", "+22507***0001"),
        ("+22370000001", "+22370***0001"),
        ("+201000000001", "+2010***0001"),
        ("+12125550100", "+121***0100"),
        ("+77010000001", "+770***0001"),
        ("+2901234567", "+290***567"),
        ("+29012345", "+290***5"),
        ("+2901234", "+290***"),
        ("+29", "+29***"),
        ("770000001", "***"),
        ("+22177 000 00 01", "***"),
        ("", "***"),
        ("someone", "***"),
    ],
)
def test_mask(e164: str, masked: str) -> None:
    assert mask(e164) == masked


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_hides_at_least_two_digits_and_never_shows_the_number(e164: str) -> None:
    masked = mask(e164)
    assert e164 not in masked
    assert len(masked.replace("***", "")) <= len(e164) - 2


def test_calling_codes_are_cut_where_the_library_cuts_them() -> None:
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        assert mask(f"+{code}560001234") == f"+{code}56***1234"


NUMBER = b"221770000001"


def wamid(record: bytes) -> str:
    return "wamid." + base64.b64encode(record).decode()


def record(number: bytes = NUMBER, tail: bytes = b"9A3CA5B3D4CD6E67E7") -> bytes:
    return b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00\x11\x18" + bytes([len(tail)]) + tail + b"\x00"


def test_the_number_becomes_zeros_and_the_rest_stays() -> None:
    assert blank_number_in_wamid(wamid(record())) == wamid(record(b"0" * 12))


def test_the_unique_part_of_an_id_stays() -> None:
    tails = [b"9A3C12345678D4CD6E", b"9A3C12345679D4CD6E", b"123456789012345678"]
    assert len({blank_number_in_wamid(wamid(record(tail=tail))) for tail in tails}) == 3


def test_every_occurrence_of_the_number_is_blanked() -> None:
    blanked = blank_number_in_wamid(wamid(record() + b"x" + NUMBER + b"y"))
    assert NUMBER not in base64.b64decode(blanked.removeprefix("wamid."))


@pytest.mark.parametrize("around", [(b"HBgM", b"FQIA"), (b"", b""), (b"id:", b":7"), (b"\x00", b"\xff\xfe")])
def test_a_record_of_another_shape(around: tuple[bytes, bytes]) -> None:
    before, after = around
    blanked = blank_number_in_wamid(wamid(before + NUMBER + after))
    assert blanked == wamid(before + b"0" * 12 + after)


@pytest.mark.parametrize(
    ("given_id", "stored"),
    [
        ("wamid.221770000001", "wamid.************"),
        ("221770000001!", "************!"),
        ("wamid.%%fake-221770000001-3", "wamid.%%fake-************-3"),
        ("wamid.fake-12", "wamid.fake-12"),
        ("", ""),
        ("wamid.", "wamid."),
        ("wamid.é221770000001", "wamid.é************"),
    ],
)
def test_an_id_that_is_not_base64_shows_no_number(given_id: str, stored: str) -> None:
    assert blank_number_in_wamid(given_id) == stored


def test_keeps_alphabet_and_padding() -> None:
    urlsafe = base64.urlsafe_b64encode(b"\xff\xef" + record()).decode().rstrip("=")
    assert "_" in urlsafe
    expected = base64.urlsafe_b64encode(b"\xff\xef" + record(b"0" * 12)).decode().rstrip("=")
    assert blank_number_in_wamid("wamid." + urlsafe) == "wamid." + expected


RECORDS = st.lists(
    st.one_of(st.binary(max_size=6), st.from_regex(rb"[0-9]{5,18}", fullmatch=True), st.just(b"\x18\x0c" + NUMBER))
).map(b"".join)


@given(
    st.one_of(
        RECORDS.map(wamid),
        st.text(),
        st.text(st.sampled_from("0123456789AMwDa=-_+/")),
        st.from_regex(r"wamid\.[0-9A-Za-z+/]*={0,2}"),
    )
)
def test_blanking_is_idempotent_and_leaves_no_plain_digits(given_id: str) -> None:
    blanked = blank_number_in_wamid(given_id)
    assert blank_number_in_wamid(blanked) == blanked
    assert not re.search(r"[0-9]{7}", blanked, re.ASCII)


@given(st.from_regex(rb"[1-9][0-9]{7,14}", fullmatch=True), st.binary(max_size=20), st.binary(max_size=20))
def test_a_blanked_id_contains_no_number(number: bytes, before: bytes, after: bytes) -> None:
    blanked = blank_number_in_wamid(wamid(before + b"\x18" + bytes([len(number)]) + number + b"\x15" + after))
    body = blanked.removeprefix("wamid.")
    assert "*" in body or number not in base64.b64decode(body)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("call to +221 77 000 00 01 by the nurse", "call to *** by the nurse"),
        ("770000001", "***"),
        ("00221770000001/register", "***/register"),
        ("70 00 00 01", "***"),
        ("+(221)77-000-00-01", "***"),
        ("register 12, page 345", "register 12, page 345"),
        ("form of 2026-11-23 10:30", "form of 2026-11-23 10:30"),
        ("form of 2026-11-23 10.30", "form of 2026-11-23 10.30"),
        ("fiche du 23/11/2026 14 h", "fiche du 23/11/2026 14 h"),
        ("fiche du 23.11.2026", "fiche du 23.11.2026"),
        ("", ""),
    ],
)
def test_in_a_text_only_possible_numbers_are_hidden(words: str, kept: str) -> None:
    assert without_numbers(words) == kept
