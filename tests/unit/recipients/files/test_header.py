"""Titles of columns as people write them."""

import pytest

from shared.campaigns.distribution import Column
from shared.recipients.recipient import FIELDS
from tests.unit.recipients.files.reading import raws, reader, refused, rows

PHONE = "+221770000001"

TITLES = [
    *((title, "phone") for title in ("phone", "PHONE", "Téléphone", "telephone", "TÉL.", "Tel", "Mobile", "numero")),
    *((title, "phone") for title in ("Numéro", "MSISDN", "N° de téléphone", "Nº téléphone", "N°\ntéléphone", "GSM")),
    *((title, "phone") for title in ("Numéro de téléphone", "Phone number", "phone-number", "Tél. mobile", "Contact")),
    *((title, "first_name") for title in ("first_name", "First name", "Prénom", "Prénom(s)", "PRENOMS", "first-name")),
    *((title, "last_name") for title in ("last_name", "Nom", "NOM", "Nom de famille", "Last Name", "Surname")),
    *((title, "card_code") for title in ("card_code", "Code carte", "N° carte", "n° de carte", "Card", "card-code")),
    *((title, "issue_date") for title in ("issue_date", "Date d'émission", "Date d’émission", "date d'emission")),
    *((title, "language") for title in ("language", "Langue", "LANGUE")),
    *((title, "consent") for title in ("consent", "Consentement")),
    *((title, "programme_name") for title in ("programme_name", "Programme")),
    *((title, "enrollment_id") for title in ("enrollment_id", "Enrollment ID", "Identifiant d'inscription")),
    *((name, name) for name in FIELDS),
]


def quoted(*cells: str) -> bytes:
    return (";".join(f'"{cell}"' for cell in cells) + "\n").encode()


@pytest.mark.parametrize(("title", "field"), TITLES)
def test_titles(title: str, field: str) -> None:
    others = () if field == "phone" else ("phone",)
    made = reader(quoted(title, *others) + quoted(PHONE, *([PHONE] if others else [])))
    assert made.columns is not None
    assert made.columns[0] == Column(header=" ".join(title.split()), field=field)


@pytest.mark.parametrize(
    "title", ["Village", "N°", "Nom du parent", "Téléphone 2", "dhis2", "Naissance", "Lien", "Accord", ""]
)
def test_other_titles_are_reported_and_not_read(title: str) -> None:
    made = reader(quoted(title, "phone", "") + quoted("x", PHONE, ""))
    assert made.columns == (Column(header=title, field=None), Column(header="phone", field="phone"))
    assert [one.code for one in made.warnings] == (["unknown_columns"] if title else [])


@pytest.mark.parametrize(
    ("titles", "read"),
    [
        (("Mobile", "phone"), "phone"),  # the field's own name wins
        (("Numéro", "Téléphone"), "Téléphone"),  # a register numbers its rows
        (("WhatsApp", "Téléphone"), "Téléphone"),
        (("card", "card_code", "phone"), "card_code"),
    ],
)
def test_the_clearer_title_wins(titles: tuple[str, ...], read: str) -> None:
    columns = reader(quoted(*titles) + quoted(*(PHONE for _ in titles))).columns
    assert columns is not None
    assert read in {one.header for one in columns if one.field}
    assert sum(one.field is None for one in columns) == 1


@pytest.mark.parametrize(
    ("titles", "field", "named"),
    [
        (("phone", "Phone"), "phone", "phone, Phone"),
        (("Téléphone", "Mobile"), "phone", "Téléphone, Mobile"),
        (("phone", "Nom", "Nom de famille"), "last_name", "Nom, Nom de famille"),
    ],
)
def test_two_columns_for_one_field_are_refused_by_name(titles: tuple[str, ...], field: str, named: str) -> None:
    found = refused(quoted(*titles) + quoted(*(PHONE for _ in titles)))
    assert (found.code, found.field, found.facts["columns"]) == ("column_twice", field, named)


def test_a_file_without_a_phone_column_names_the_columns_that_it_has() -> None:
    found = refused("Registre de Thiès;;\nVillage;Prénom;Nom\nThiès;Awa;Ba\n".encode())
    assert (found.code, found.field, found.line) == ("phone_column_missing", "phone", 2)
    assert found.facts["columns"] == "Village, Prénom, Nom"


def test_a_file_without_any_known_title_does_not_repeat_its_first_line() -> None:
    """It may be the line of a person."""
    found = refused(b"Village;Quartier\nx;y\n")
    assert (found.code, found.field, found.line) == ("phone_column_missing", "phone", 1)
    assert "columns" not in found.facts


@pytest.mark.parametrize("above", ["", "Registre de Dakar\n", "\n\n"])
def test_a_file_without_titles_is_told_so_and_shows_no_number(above: str) -> None:
    found = refused(f"{above}{PHONE};Awa;Ba\n77 000 00 02;Ida;Sy\n".encode())
    assert (found.code, found.line) == ("header_missing", above.count("\n") + 1)
    assert "77" not in str(found.facts)


def test_what_may_be_a_number_is_no_title_that_is_shown() -> None:
    made = reader(quoted("phone", "77 000 00 02") + quoted(PHONE, "x"))
    assert made.columns == (Column(header="phone", field="phone"), Column(header="…", field=None))
    assert "77" not in str(made.warnings)


def test_of_a_line_with_a_number_in_it_only_known_titles_are_shown() -> None:
    """A line of a person may hold a word that is a title, too: +221…; Awa; WhatsApp."""
    titles = ("Phone", "Awa", "Prénom", "77 000 00 02", "")
    made = reader(quoted(*titles) + quoted(PHONE, "x", "Ida", "y", "z"))
    assert made.columns is not None
    assert [one.header for one in made.columns] == ["Phone", "…", "Prénom", "…"]
    assert "Awa" not in str(made.warnings)


@pytest.mark.parametrize("lines", range(6))
def test_up_to_five_lines_above_the_titles_are_skipped_and_counted(lines: int) -> None:
    above = "".join(f"Registre {number};;\n" for number in range(lines))
    content = f"{above}Téléphone;Prénom\n{PHONE};Awa\n".encode()
    assert raws(content) == [{"phone": PHONE, "first_name": "Awa"}]
    assert [(row.number, row.line) for row in rows(content)] == [(1, lines + 2)]
    assert [(one.code, one.count) for one in reader(content).warnings] == ([("lines_skipped", lines)] if lines else [])


def test_a_sixth_line_is_too_many() -> None:
    above = "".join(f"Registre {number};;\n" for number in range(6))
    assert refused(f"{above}Téléphone;Prénom\n{PHONE};Awa\n".encode()).code == "phone_column_missing"


def test_columns_are_reported_up_to_a_hundred() -> None:
    made = reader(quoted("phone", *(f"col {number}" for number in range(300))) + quoted(PHONE))
    assert made.columns is not None
    assert len(made.columns) == 100
