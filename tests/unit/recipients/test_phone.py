import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.recipients.countries import COVERED
from shared.recipients.phone import PhoneError, PhoneProblem, normalise

SENEGAL = "+221770000001"
IVORY_COAST = "+2250700000001"

READABLE = [
    (SENEGAL, "SN", SENEGAL),
    (SENEGAL, "CI", SENEGAL),
    ("770000001", "SN", SENEGAL),
    ("770000001", "sn", SENEGAL),
    (" 77 000 00 01\n", "SN", SENEGAL),
    ("77.000.00.01", "SN", SENEGAL),
    ("77-000-00-01", "SN", SENEGAL),
    ("77/000/00/01", "SN", SENEGAL),
    ("(+221) 77 000 00 01", "SN", SENEGAL),
    ("[77] 000 00 01", "SN", SENEGAL),
    ("+221/770000001", "SN", SENEGAL),
    ("00221770000001", "CI", SENEGAL),
    ("00 221 77 000 00 01", "SN", SENEGAL),
    ("+00221770000001", "SN", SENEGAL),
    ("00221770000001", "US", SENEGAL),  # a country whose international prefix is 011
    ("221770000001", "SN", SENEGAL),  # a lost +
    ("221770000001", "CI", SENEGAL),
    ("221770000001+", "TN", SENEGAL),  # typed from right to left
    ("٧٧٠٠٠٠٠٠١", "SN", SENEGAL),
    ("+٢٢١ ٧٧٠ ٠٠٠ ٠٠١", "EG", SENEGAL),
    ("۷۷۰۰۰۰۰۰۱", "SN", SENEGAL),
    ("＋２２１７７００００００１", "SN", SENEGAL),
    ("77\u00a0000\u202f00\u201101", "SN", SENEGAL),
    ("\u202a+221770000001\u202c", "SN", SENEGAL),
    ("\u200e77 000 00 01", "SN", SENEGAL),
    ("'770000001", "SN", SENEGAL),  # a spreadsheet's mark for text
    ("770000001.0", "SN", SENEGAL),  # a column read as decimals
    ("tel:+221770000001", "SN", SENEGAL),
    ("Tél. : 77 000 00 01", "SN", SENEGAL),
    ("0700000001", "CI", IVORY_COAST),
    ("07 00 00 00 01", "CI", IVORY_COAST),
    ("2250700000001", "SN", IVORY_COAST),
    ("700000001", "CI", IVORY_COAST),  # a spreadsheet dropped the 0
    ("225700000001", "SN", IVORY_COAST),
    ("01000000001", "EG", "+201000000001"),
    ("1000000001", "EG", "+201000000001"),
    ("034 00 000 01", "MG", "+261340000001"),
    ("340000001", "MG", "+261340000001"),
    ("70000001", "ML", "+22370000001"),
    ("70000001", "BF", "+22670000001"),
    ("620000001", "GN", "+224620000001"),
    ("670000001", "CM", "+237670000001"),
    ("20000001", "TN", "+21620000001"),
    ("+33 (0)6 00 00 00 01", "SN", "+33600000001"),  # outside the nine countries: the gate decides
    ("+12125550100", "SN", "+12125550100"),  # America does not show whether a number is mobile
    ("+221 (0) 77 000 00 01", "SN", SENEGAL),
    ("00221(0)770000001", "CI", SENEGAL),
    ("221 (0) 77 000 00 01", "SN", SENEGAL),
    ("(0)770000001", "SN", SENEGAL),
    ("+225 (0) 700000001", "SN", IVORY_COAST),  # there the 0 belongs to the number
    ("+225 (0) 0700000001", "SN", IVORY_COAST),
    ("77 000 00 01 (WhatsApp)", "SN", SENEGAL),
    ("77 000 00 01 [wa]", "SN", SENEGAL),
    ("770000001 whatsapp", "SN", SENEGAL),
    ("77 000 00 01 - Orange", "SN", SENEGAL),
    ("WhatsApp : 77 000 00 01", "SN", SENEGAL),
    ("N° 77 000 00 01", "SN", SENEGAL),
    ("wa.me/221770000001", "CI", SENEGAL),
    ("https://wa.me/221770000001?text=Bonjour", "SN", SENEGAL),
    ("https://api.whatsapp.com/send?phone=%2B221770000001".replace("%2B", "+"), "SN", SENEGAL),
    ("+221221770000001", "SN", SENEGAL),  # a form had put the code there already
    ("221221770000001", "CI", SENEGAL),
    ("00221 00221 77 000 00 01", "SN", SENEGAL),
    ("+221 +221 77 000 00 01", "SN", SENEGAL),
    ("(+221) 221 770000001", "SN", SENEGAL),
    ("+2020 1000000001", "SN", "+201000000001"),
    ("22322370000001", "SN", "+22370000001"),
    ("770000001;", "SN", SENEGAL),
    ("; 77 000 00 01 ;;", "SN", SENEGAL),
    ("77 000 00 01 /", "SN", SENEGAL),
    ('="770000001"', "SN", SENEGAL),
    ("\u2019770000001", "SN", SENEGAL),
    ("770000001,0", "SN", SENEGAL),
    ("221770000001.00", "SN", SENEGAL),
    ("2.21770000001E+11", "SN", SENEGAL),
    ("2,21770000001E+11", "SN", SENEGAL),
    ("7.70000001e+08", "SN", SENEGAL),
    ("7,70000001E8", "SN", SENEGAL),
]

REFUSED = [
    ("", "SN", "phone_missing"),
    ("   ", "SN", "phone_missing"),
    ("-", "SN", "phone_missing"),
    ("+", "SN", "phone_missing"),
    ("N/A", "SN", "phone_missing"),
    ("#N/A", "SN", "phone_missing"),
    ("n.a.", "SN", "phone_missing"),
    ("Néant", "SN", "phone_missing"),
    ("null", "SN", "phone_missing"),
    ("abc", "SN", "phone_invalid"),
    ("0", "SN", "phone_invalid"),
    ("123", "SN", "phone_invalid"),
    ("000000000", "SN", "phone_invalid"),
    ("77000000", "SN", "phone_invalid"),
    ("7700000012", "SN", "phone_invalid"),
    ("77012345678", "SN", "phone_invalid"),  # with a + it would be a number of Kazakhstan
    ("0770000001", "SN", "phone_invalid"),
    ("+770000001", "SN", "phone_invalid"),
    ("00770000001", "SN", "phone_invalid"),
    ("2.21771E+11", "SN", "phone_invalid"),
    ("2,21771E+11", "SN", "phone_invalid"),
    ("2.21770E+11", "SN", "phone_invalid"),  # digits are lost
    ("2.2177000000E+11", "SN", "phone_invalid"),
    ("2.217700000012E+11", "SN", "phone_invalid"),
    ("7.7E+08", "SN", "phone_invalid"),
    ("7.70000001E+11", "SN", "phone_invalid"),  # not 770000001
    ("77 000 00 01 (faux numéro)", "SN", "phone_invalid"),
    ("77 000 00 01 (mère)", "SN", "phone_invalid"),
    ("+221 (0) 0770000001", "SN", "phone_invalid"),
    ("2020 1000000001", "SN", "phone_invalid"),  # an Egyptian's, or a year and something
    ("+221 221 7700000", "SN", "phone_invalid"),
    ("wa.me/qr/ABCDEF", "SN", "phone_invalid"),
    ("wa.me/770000001", "SN", "phone_invalid"),  # such a link is international
    ("wa.me/674551234", "CM", "phone_invalid"),  # a Cameroonian's, or one of Nauru that has lost a digit
    ("https://wa.me/221338200001", "SN", "phone_not_mobile"),
    ("100000000,0", "EG", "phone_invalid"),  # not 1000000000
    ("6907290.0", "BF", "phone_invalid"),  # not 69072900
    ("770000001 ext 3", "SN", "phone_invalid"),
    ("77-CALL-NOW", "SN", "phone_invalid"),
    ("+2210000", "SN", "phone_invalid"),
    ("770000001", "XX", "phone_invalid"),
    ("770000001", "", "phone_invalid"),
    ("1" * 300, "SN", "phone_invalid"),
    ("070000001", "CI", "phone_invalid"),
    ("07000001", "SN", "phone_invalid"),
    ("07000001", "CI", "phone_obsolete"),
    ("07 00 00 01", "CI", "phone_obsolete"),
    ("22500001", "CI", "phone_obsolete"),  # an old landline, not a calling code
    ("+22507000001", "SN", "phone_obsolete"),
    ("0022507000001", "SN", "phone_obsolete"),
    ("22507000001", "SN", "phone_obsolete"),
    ("22507000001", "CI", "phone_obsolete"),
    ("338200001", "SN", "phone_not_mobile"),
    ("221338200001", "CI", "phone_not_mobile"),
    ("2520000001", "CI", "phone_not_mobile"),
    ("800800800", "SN", "phone_not_mobile"),
    ("1212", "SN", "phone_not_mobile"),
    ("36000", "ML", "phone_not_mobile"),
    ("77 000 00 01 / 76 000 00 02", "SN", "phone_several"),
    ("77 000 00 01 ou 76 000 00 02", "SN", "phone_several"),
    ("770000001ou760000002", "SN", "phone_several"),
    ("770000001 et +221760000002", "SN", "phone_several"),
    ("770000001 أو 760000002", "SN", "phone_several"),
    ("٧٧٠٠٠٠٠٠١، ٧٦٠٠٠٠٠٠٢", "SN", "phone_several"),
    ("770000001;760000002", "SN", "phone_several"),
    ("770000001,760000002", "SN", "phone_several"),
    ("770000001\n760000002", "SN", "phone_several"),
    ("770000001\t760000002", "SN", "phone_several"),
    ("770000001 760000002", "SN", "phone_several"),
    ("77 000 00 01 76 000 00 02", "SN", "phone_several"),
    ("770000001-760000002", "SN", "phone_several"),
    ("+221770000001+221760000002", "SN", "phone_several"),
    ("70000001 60000002", "ML", "phone_several"),
    ("770000001/02", "SN", "phone_several"),
    ("770000001 / 76000000", "SN", "phone_several"),
    ("770000001 (mère) 760000002 (père)", "SN", "phone_several"),
    ("338200001 / 770000001", "SN", "phone_several"),
    ("07000001 / 05000001", "CI", "phone_several"),
]


@pytest.mark.parametrize(("raw", "country", "e164"), READABLE)
def test_numbers_as_written_in_registers(raw: str, country: str, e164: str) -> None:
    assert normalise(raw, country).e164 == e164


@pytest.mark.parametrize(("raw", "country", "code"), REFUSED)
def test_refused_with_a_reason_and_without_the_number(raw: str, country: str, code: str) -> None:
    with pytest.raises(PhoneError) as caught:
        normalise(raw, country)
    assert caught.value.code == code
    assert str(caught.value) == code
    assert caught.value.__context__ is None


@pytest.mark.parametrize("country", COVERED)
def test_every_covered_country(country: str) -> None:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    for raw in (e164, national, e164.replace("+", "00"), e164[1:]):
        assert (normalise(raw, country).e164, normalise(raw, country).country) == (e164, country)


def test_a_phone_number_shows_only_its_mask() -> None:
    number = normalise("77 000 00 01", "SN")
    assert number.masked == str(number) == "+22177***0001"
    assert "770000001" not in repr(number)
    assert number.country == "SN"


MOBILES = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
REGISTER_TEXT = st.one_of(
    st.sampled_from(MOBILES).flatmap(lambda m: st.sampled_from([m, m[1:], m[3:], m[4:], "00" + m[1:]])),
    st.text(st.sampled_from("0123456789+ .-/()٠٧,;\u202a'x"), max_size=24),
    st.integers(20_000_000, 9_999_999_999).map(str),
    st.text(max_size=30),
)


@given(REGISTER_TEXT, st.sampled_from([*COVERED, "FR", "US", "XX", "BR"]))
def test_one_number_or_one_reason_and_normalising_is_idempotent(raw: str, country: str) -> None:
    try:
        number = normalise(raw, country)
    except PhoneError:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))
    assert normalise(number.e164, country) == number
    assert normalise(number.e164, "GN") == number


@given(st.sampled_from(MOBILES), st.sampled_from(sorted(COVERED)))
def test_e164_numbers_of_every_country_stay_unchanged(e164: str, country: str) -> None:
    assert normalise(e164, country).e164 == e164


DECORATIONS = (
    *("{e164}", "+{code} (0) {national}", "+{code}{code}{national}", "00{code} 00{code} {national}", "{e164};"),
    *("{e164} (WhatsApp)", "Tél : {e164}", "wa.me/{code}{national}", '="{e164}"', "'{e164}", "{code}{national}.0"),
    *("{code}{national},0", "{e164} - Orange", "+{code} +{code} {national}", "https://wa.me/{code}{national}?text=1"),
)


OURS = [e164 for e164 in MOBILES if phonenumbers.region_code_for_number(phonenumbers.parse(e164)) in COVERED]


@given(
    st.sampled_from(OURS),
    st.sampled_from(DECORATIONS),
    st.sampled_from(sorted(COVERED)),
    st.sampled_from([None, *range(15)]),
)
def test_a_number_with_a_decoration_is_read_as_itself_or_refused(
    e164: str, decoration: str, country: str, lost: int | None
) -> None:
    """Also where a digit was lost: then as the number that the digits make by themselves, never as another one."""
    parsed = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(parsed)
    if lost is not None:
        national = national[:lost] + national[lost + 1 :]
    plain = f"+{parsed.country_code}{national}"
    raw = decoration.format(e164=plain, code=parsed.country_code, national=national)
    allowed = {None, reading(plain, country)}
    if "(0)" in raw:
        allowed.add(reading(f"+{parsed.country_code}0{national}", country))
    if decoration.startswith("{code}{national}"):
        allowed.add(reading(plain.removeprefix("+"), country))
    assert reading(raw, country) in allowed


def reading(raw: str, country: str) -> str | None:
    try:
        return normalise(raw, country).e164
    except PhoneError:
        return None


@given(st.integers(0, 99_999_999), st.sampled_from(["", "+225", "00225", "225"]))
def test_eight_ivorian_digits_are_obsolete_with_any_prefix(number: int, prefix: str) -> None:
    digits = f"{number:08}"
    if not prefix and digits.startswith("00"):
        return
    with pytest.raises(PhoneError) as caught:
        normalise(prefix + digits, "CI")
    assert caught.value.code is PhoneProblem.OBSOLETE


def mobile_digits(country: str) -> st.SearchStrategy[str]:
    """National mobile numbers by libphonenumber's pattern, and other digits of about the same length."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
    assert metadata is not None
    assert metadata.mobile is not None
    return st.from_regex(rf"\A(?:{metadata.mobile.national_number_pattern})\Z", alphabet="0123456789") | st.text(
        "0123456789", min_size=6, max_size=12
    )


@given(st.data(), st.sampled_from(sorted(COVERED)), st.sampled_from(sorted(COVERED)), st.booleans())
def test_plain_digits_are_read_as_libphonenumber_reads_them(
    data: st.DataObject, country: str, default: str, is_international: bool
) -> None:
    """With a word before it, libphonenumber reads the number; without one, the patterns of mobile numbers do."""
    digits = data.draw(mobile_digits(country))
    raw = f"+{COVERED[country].calling_code}{digits}" if is_international else digits
    assert answer(raw, default) == answer(f"tel {raw}", default)


def answer(raw: str, country: str) -> object:
    try:
        return normalise(raw, country)
    except PhoneError as error:
        return error.code
