"""Phone numbers as registers write them → E.164.

libphonenumber decides whether a number is valid. This module handles what it does not know about registers: words that
mean "no number", two numbers in one field, a lost +, and Côte d'Ivoire's change of numbers in 2021. A number that is
only plausible is refused: sending a card to a wrong person is worse than asking for a correction. The gate decides
whether the country is covered.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import override

import phonenumbers as lib

from shared.recipients.countries import COVERED, present_form
from shared.recipients.masking import mask


class PhoneProblem(StrEnum):
    """Codes of api.md, "Fields and rows"."""

    MISSING = "phone_missing"
    INVALID = "phone_invalid"
    OBSOLETE = "phone_obsolete"
    NOT_MOBILE = "phone_not_mobile"
    SEVERAL = "phone_several"


class PhoneError(ValueError):
    """Why a field has no number that can get messages. It does not contain the field's text."""

    def __init__(self, code: PhoneProblem) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A number that can get messages. `country` is the number's own, as ISO 3166's two letters."""

    e164: str = field(repr=False)
    country: str

    @property
    def masked(self) -> str:
        """The masked number, which may be stored, shown and logged."""
        return mask(self.e164)

    @override
    def __str__(self) -> str:
        return self.masked


_LONGEST_FIELD = 250

_MOBILE = frozenset({lib.PhoneNumberType.MOBILE, lib.PhoneNumberType.FIXED_LINE_OR_MOBILE})

_CALLING_CODES = tuple(country.calling_code for country in COVERED.values())

_IVORIAN = 225

_NOT_ASCII = str.maketrans(
    {"＋": "+", "−": "-", "·": ".", "•": ".", "、": ",", "،": ",", "؛": ";", "（": "(", "）": ")"}
)

_NO_NUMBER = frozenset(
    {"", "na", "nd", "nr", "nan", "nil", "none", "null", "unknown", "inconnu", "inconnue", "aucun", "aucune", "neant"}
    | {"néant", "no", "non", "rien", "sans", "x", "xx", "xxx"}
)

_MEANS = (
    r"(?:t[eé]l(?:[eé]phone)?|phone|mobile|gsm|whats?app|wa|sms|portable|cell(?:ulaire|phone)?|contact"
    r"|num(?:[eé]ro)?|orange(?:\s+money)?|free|expresso|moov|mtn|airtel|wave)"
)
"""Words beside a number that do not say whose number it is. ("Wrong number" and "mother" do, so they are not here.)"""

_LABEL = re.compile(rf"(?:{_MEANS}|n[°ºo])[\s.:]*(?=[+(\d])", re.IGNORECASE)

_NOTE = re.compile(rf"(?<=\d)[\s:.-]*(?:\({_MEANS}\)|\[{_MEANS}\]|\b{_MEANS})\.?$", re.IGNORECASE)

_PLAIN = re.compile(r"\+?\d+(?: \d+)*", re.ASCII)
"""A number without labels and signs, as most are."""

_FORMULA = re.compile(r'="([^"]*)"')
"""People write this so that Excel keeps a number as text."""

_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:wa\.me/|api\.whatsapp\.com/send/?\?phone=|whatsapp://send/?\?phone=)\+?(\d+)/?(?:[?&].*)?",
    re.IGNORECASE | re.ASCII,
)
"""A WhatsApp link. WhatsApp itself requires that its number is international."""

_SEPARATORS = " ;,|/\\\t\r\n"

_ONE_NUMBER = re.compile(r"[\s(\['.]*\+?[\d\s()\[\].,/_-]*", re.ASCII)

_BETWEEN_NUMBERS = re.compile(r"[/\\;,|&\n]|\b(?:ou|et|or|and)\b|(?<=\d)(?:ou|et|or|and)(?=[\d+])|أو|و", re.IGNORECASE)

_GAP = re.compile(r"(?<=\d)\D+(?=\d)", re.ASCII)

_FLOAT = re.compile(r"(\+?\d{5,15})[.,]0+", re.ASCII)

_SCIENTIFIC = re.compile(r"(\d)[.,](\d{7,14})[eE]\+?(\d\d?)", re.ASCII)
"""2.21771234501E+11, as a spreadsheet shows a number. It is complete only if it has all of its digits."""

_OPTIONAL_ZERO = re.compile(r"((?:\+|00)?[\d\s]{0,6})\(0\)", re.ASCII)
"""The 0 that is dialled inside a country only: +221 (0) 77…"""

_DOUBLED_CODE = re.compile(
    rf"\(?(?:\+|00)?(?P<code>{'|'.join(map(str, _CALLING_CODES))})\)?[\s.-]*\(?(?:\+|00)?(?P=code)(?=[\d\s().-])",
    re.ASCII,
)
"""A calling code that was typed although the form had written it already."""


def normalise(raw: str, default_country: str) -> PhoneNumber:
    """The only mobile number in `raw`. A number without a calling code belongs to `default_country`. Raises
    PhoneError.
    """
    if plain := _plain_mobile(raw, default_country):
        return plain
    number = _one_number(raw, default_country)
    if _is_dead(number):
        raise PhoneError(PhoneProblem.OBSOLETE)
    if lib.number_type(number) not in _MOBILE:
        raise PhoneError(PhoneProblem.NOT_MOBILE)
    return PhoneNumber(e164=_e164(number), country=lib.region_code_for_number(number) or "001")


def _plain_mobile(raw: str, default_country: str) -> PhoneNumber | None:
    """The mobile number of a covered country, if `raw` is nothing but its digits: with + and calling code, or the
    national ones of `default_country`. None where libphonenumber must read it.

    libphonenumber takes 0.1 ms for a number. Most numbers of a million rows are as plain as this.
    """
    if not _PLAIN.fullmatch(raw):
        return None
    text, code = raw.replace(" ", ""), default_country.upper()
    forms = _mobile_forms()
    if not text.startswith("+"):
        form = forms.get(code)
        if form is None or not form.fullmatch(text):
            return None
        return PhoneNumber(e164=f"+{COVERED[code].calling_code}{text}", country=code)
    for code, form in forms.items():
        calling_code = f"+{COVERED[code].calling_code}"
        if text.startswith(calling_code):
            return PhoneNumber(e164=text, country=code) if form.fullmatch(text, len(calling_code)) else None
    return None


@cache
def _mobile_forms() -> dict[str, re.Pattern[str]]:
    """The national mobile numbers of each covered country that shares its calling code with no other country."""
    return {
        code: form
        for code, country in COVERED.items()
        if lib.COUNTRY_CODE_TO_REGION_CODE[int(country.calling_code)] == (code,)
        and (form := _mobile_form(lib.PhoneMetadata.metadata_for_region(code))) is not None
    }


def _mobile_form(metadata: lib.PhoneMetadata | None) -> re.Pattern[str] | None:
    """libphonenumber asks in the same order: a number of a special kind is no mobile number."""
    if metadata is None or (mobile := _pattern(metadata.mobile)) is None:
        return None
    kinds = (
        *(metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip),
        *(metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail),
    )
    special = "|".join(f"(?:{pattern})" for kind in kinds if (pattern := _pattern(kind)) is not None)
    return re.compile(f"(?!(?:{special})$)(?:{mobile})" if special else mobile, re.ASCII)


def _pattern(kind: lib.PhoneNumberDesc | None) -> str | None:
    return kind.national_number_pattern if kind is not None else None


def normalise_any_form(raw: str, default_country: str) -> PhoneNumber:
    """As `normalise`, but an old form of a number gives the number that has replaced it.

    Use it to identify a person, not to send: a list with old numbers must be corrected. Raises PhoneError, also for an
    old form without a rule.
    """
    number = _one_number(raw, default_country)
    return normalise(present_form(_e164(number)) if _is_dead(number) else raw, default_country)


def is_mobile_number(digits: str) -> bool:
    """Whether a run of digits is a mobile number: a national one of a covered country, with or without the leading 0,
    or an international one of ten digits or more, with or without 00.
    """
    if _covered_mobiles().fullmatch(digits):
        return True
    international = digits.removeprefix("00")
    # Parsing takes 0.1 ms, which is too long for each of a million references.
    number = _parse("+" + international, None) if len(international) >= 10 and international[0] != "0" else None
    return number is not None and lib.is_valid_number(number) and lib.number_type(number) in _MOBILE


@cache
def _covered_mobiles() -> re.Pattern[str]:
    """Mobile numbers of the covered countries in every notation, and Côte d'Ivoire's old numbers with 225.

    One expression replaces a parse per country, because a file may have a million references.
    """
    forms = [rf"(?:00)?{_IVORIAN}[0-9]{{8}}"]
    for code, country in COVERED.items():
        metadata = lib.PhoneMetadata.metadata_for_region(code)
        if metadata is not None and metadata.mobile is not None and metadata.mobile.national_number_pattern:
            forms.append(rf"(?:0|(?:00)?{country.calling_code})?(?:{metadata.mobile.national_number_pattern})")
    return re.compile("|".join(forms), re.ASCII)


def _one_number(raw: str, default_country: str) -> lib.PhoneNumber:
    if len(raw) > _LONGEST_FIELD:
        raise PhoneError(PhoneProblem.INVALID)
    text, region = _plain(raw), default_country.upper()
    if "/" in text and (address := _LINK.fullmatch(text)):
        return _of_address(address[1].removeprefix("00"), region)
    if "".join(c for c in text if c.isalnum()).casefold() in _NO_NUMBER:
        raise PhoneError(PhoneProblem.MISSING)
    if _is_list(text, region):
        raise PhoneError(PhoneProblem.SEVERAL)
    number = _read(text, region)
    if number is None:
        raise PhoneError(_why_unread(text, region))
    return number


def _of_address(digits: str, region: str) -> lib.PhoneNumber:
    """The number in a WhatsApp link, which must be international. If its digits are also a national number, it is
    refused: perhaps it was put into the link by mistake."""
    number, national = _read(f"+{digits}", region), _read(digits, region)
    if number is None or national not in (None, number):
        raise PhoneError(PhoneProblem.INVALID)
    return number


def _e164(number: lib.PhoneNumber) -> str:
    return lib.format_number(number, lib.PhoneNumberFormat.E164)


def _plain(raw: str) -> str:
    """`raw` with digits, spaces, dashes and signs of any script in ASCII, without labels and what spreadsheets add."""
    if _PLAIN.fullmatch(raw):
        return raw
    text = raw if raw.isascii() else "".join(map(_plain_character, raw.translate(_NOT_ASCII)))
    text = text.strip(_SEPARATORS)
    if formula := _FORMULA.fullmatch(text):
        text = formula[1]
    text = _LABEL.sub("", text.lstrip("'’`").strip(), count=1)
    if not text[-1:].isdigit():
        text = _NOTE.sub("", text)
    if number := _of_spreadsheet(text):
        return number
    # A + typed from right to left.
    return text.removesuffix("+") if text.count("+") == 1 else text


def _of_spreadsheet(text: str) -> str | None:
    """The digits of a number that a spreadsheet shows as a decimal. None: it is no such number, or digits are lost."""
    if decimal := _FLOAT.fullmatch(text):
        return decimal[1]
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific and len(scientific[2]) == int(scientific[3]):
        return scientific[1] + scientific[2]
    return None


def _plain_character(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Zs" | "Zp":
            return " "
        case "Zl":
            return "\n"
        case "Pd":
            return "-"
        case "Cf":
            return ""
        case _:
            return character


def _is_list(text: str, region: str) -> bool:
    """Whether the separators in `text` separate numbers. 77/000/00/01 is one number."""
    parts = [part for part in _BETWEEN_NUMBERS.split(text) if _digits(part)]
    return len(parts) > 1 and _read(parts[0].strip(), region) is not None


def _why_unread(text: str, region: str) -> PhoneProblem:
    """Why `text` is not one number: it may be two numbers with a space or other characters between them."""
    for gap in _GAP.finditer(text):
        left, right = text[: gap.start()], text[gap.start() :]
        if min(len(_digits(left)), len(_digits(right))) >= 7 and any(
            _read(re.sub(r"^[^\d+]+|\D+$", "", half), region) for half in (left, right)
        ):
            return PhoneProblem.SEVERAL
    digits = _digits(text)
    short = _parse(digits, region) if _ONE_NUMBER.fullmatch(text) and 2 <= len(digits) <= 6 else None
    if short is not None and lib.is_valid_short_number_for_region(short, region):
        return PhoneProblem.NOT_MOBILE
    return PhoneProblem.INVALID


def _read(text: str, region: str) -> lib.PhoneNumber | None:
    """The one number, of any kind, that the digits of `text` make together; None where they make none, or two."""
    number = _of_all_digits(text, region)
    if "(0)" in text and (match := _OPTIONAL_ZERO.match(text)):
        shorter = _of_all_digits(match[1] + text[match.end() :], region)
        if number is not None and shorter is not None and shorter != number:
            return None
        number = number or shorter
    if number is None and (match := _DOUBLED_CODE.match(text)) and (len(match["code"]) > 2 or match[0][0] in "+(0"):
        number = _of_all_digits(f"+{match['code']} {text[match.end() :]}", region)
    return number


def _of_all_digits(text: str, region: str) -> lib.PhoneNumber | None:
    if not _ONE_NUMBER.fullmatch(text):
        return None
    candidates = _candidates(_digits(text), region, international="+" in text)
    return next((number for number in candidates if lib.is_valid_number(number) or _is_dead(number)), None)


def _candidates(digits: str, region: str, *, international: bool) -> Iterator[lib.PhoneNumber]:
    readings: list[tuple[str, str | None]] = [("+" + digits.removeprefix("00"), None)]
    if not international and not digits.startswith("00"):
        readings = [(digits, region)]
        # A lost + is put back for our own countries only: a Senegalese number with two digits too many would become a
        # Kazakh one.
        if digits.startswith(_CALLING_CODES):
            readings.append(("+" + digits, None))
    for reading in readings:
        if number := _parse(*reading):
            yield _with_lost_zero(number)


def _parse(text: str, region: str | None) -> lib.PhoneNumber | None:
    try:
        return lib.parse(text, region)
    except lib.NumberParseException:
        return None


def _with_lost_zero(number: lib.PhoneNumber) -> lib.PhoneNumber:
    """Restore the 0 of an Ivorian number that a spreadsheet has removed: nine digits can only be one of ten without its
    0.
    """
    national = lib.national_significant_number(number)
    if number.country_code != _IVORIAN or len(national) != 9 or national[0] == "0":
        return number
    return _parse(f"+{_IVORIAN}0{national}", None) or number


def _is_dead(number: lib.PhoneNumber) -> bool:
    """Whether it is an Ivorian number of eight digits. These have not existed since 2021."""
    return number.country_code == _IVORIAN and len(lib.national_significant_number(number)) == 8


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")
