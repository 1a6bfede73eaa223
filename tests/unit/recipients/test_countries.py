from zoneinfo import available_timezones

import phonenumbers
import pytest

from shared.recipients.countries import COVERED, Country, covered_names


def test_exactly_the_nine_countries_in_the_displayed_order() -> None:
    assert list(COVERED) == ["SN", "CI", "ML", "BF", "GN", "CM", "MG", "TN", "EG"]
    assert (
        covered_names("fr")
        == "Sénégal, Côte d'Ivoire, Mali, Burkina Faso, Guinée, Cameroun, Madagascar, Tunisie, Égypte"
    )
    assert covered_names("en-GB").startswith("Senegal, Côte d'Ivoire")
    assert covered_names("en").endswith("Tunisia, Egypt")


@pytest.mark.parametrize("country", COVERED.values(), ids=COVERED)
def test_data_agrees_with_the_libraries(country: Country) -> None:
    assert phonenumbers.country_code_for_region(country.code) == int(country.calling_code)
    assert country.zone in available_timezones()
    assert COVERED[country.code] is country
    assert country.sender_address == (None if country.code == "EG" else f"tel:+{country.calling_code}0000")
