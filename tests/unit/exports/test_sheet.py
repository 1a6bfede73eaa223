"""The CSV: read again it has the same cells, and no spreadsheet runs one."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.app.exports import SheetWording
from shared.base.json import Renderable
from shared.exports.columns import COLUMNS
from shared.exports.export import ExportOrder, Kind, Language
from shared.exports.sheet import Sheet, disarmed, lines

MESSAGES = ExportOrder(kind=Kind.MESSAGES, language="en")
SEPARATORS: dict[Language, str] = {"en": ",", "fr": ";"}
RUN = ("=", "+", "-", "@", "\t", "\r")
"""OWASP, CSV Injection."""
LANGUAGES: list[Language] = ["en", "fr"]
anything = st.text(st.characters(exclude_categories=["Cs"]))
risky = st.builds("".join, st.lists(st.sampled_from([*RUN, "\n", " ", ",", ";", '"', "'", "1", "é", "\ufeff", "＝"])))


def read(content: bytes, language: Language) -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8"), newline="")
    return list(csv.reader(text, delimiter=SEPARATORS[language], strict=True))


@pytest.mark.parametrize("start", RUN)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert disarmed(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize(
    "cell", ["\n=1", " =1", "\u00a0=1", "\ufeff=1", "\x00=1", "＝1", "＋1", "－1", "＠x", "\u200b@x", "  \t -1"]
)
def test_blanks_and_other_forms_of_the_sign_do_not_hide_a_formula(cell: str) -> None:
    assert disarmed(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "2026-11-30 20:15:00", "12,5", "'=1", "Côte d'Ivoire", "0", "1-2", " a"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert disarmed(cell) == cell


def test_a_masked_number_can_be_read_and_is_not_run() -> None:
    assert disarmed("+22177***4567") == "'+22177***4567"


@pytest.mark.parametrize("language", LANGUAGES)
@given(rows=st.lists(st.lists(anything | risky, min_size=2, max_size=4), min_size=1))
def test_any_text_can_be_read_again_and_none_is_a_formula(language: Language, rows: list[list[str]]) -> None:
    found = read(lines(rows, language), language)
    assert found == [[disarmed(cell) for cell in row] for row in rows]
    for cell, text in zip(chain(*found), chain(*rows), strict=True):
        assert cell in (text, f"'{text}")
        assert not cell.startswith(RUN)
        assert not cell.lstrip().startswith(RUN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_end_with_crlf_and_quotes_are_doubled(language: Language) -> None:
    sign = SEPARATORS[language]
    content = lines([["a", f'say "{sign}"', "two\nlines"], ["b", "", "c"]], language)
    assert content.decode() == f'a{sign}"say ""{sign}"""{sign}"two\nlines"\r\nb{sign}{sign}c\r\n'


def test_half_a_surrogate_pair_stops_no_file() -> None:
    assert lines([["\ud800", "b"]], "en") == b"?,b\r\n"


DOCUMENT: dict[str, Renderable] = {
    "timestamp": datetime(2026, 11, 30, 21, 15, 7, 250000, tzinfo=timezone(timedelta(hours=1))),
    "recipient": "+22177***4567",
    "status": "delivered",
    "via": "fallback",
    "price": {"amount": "12.5", "currency": "XOF"},
    "segments": 2,
    "hold": {"scope": "country", "key": "SN", "reason": "balance_empty", "reason_text": "Buy units."},
    "reason_text": None,
    "enrollment_id": "-e1",
    "created_by": '=cmd|"/c calc"!A1',
}


def cells(language: Language, document: dict[str, Renderable]) -> dict[str, str]:
    sheet = Sheet(replace(MESSAGES, language=language), SheetWording())
    content = sheet.header() + sheet.rows([document])
    assert content.startswith(b"\xef\xbb\xbf")
    header, row = read(content.removeprefix(b"\xef\xbb\xbf"), language)
    assert len(header) == len(row) == len(set(header))
    return dict(zip(header, row, strict=True))


def test_a_french_sheet() -> None:
    found = cells("fr", DOCUMENT)
    assert found["Accepté le (UTC)"] == "2026-11-30 20:15:07"
    assert found["Destinataire"] == "'+22177***4567"
    assert (found["Statut"], found["Origine"]) == ("remis", "SMS de remplacement")
    assert (found["Prix"], found["Devise"], found["Segments SMS"]) == ("12,5", "XOF", "2")
    assert (found["Portée du blocage"], found["Ce qui est bloqué"]) == ("pays", "SN")
    assert (found["Explication"], found["Lu le (UTC)"]) == ("", "")
    assert found["Identifiant de l’inscription"] == "'-e1"
    assert found["Créé par"] == '\'=cmd|"/c calc"!A1'


def test_an_english_sheet() -> None:
    found = cells("en", DOCUMENT)
    assert found["Accepted at (UTC)"] == "2026-11-30 20:15:07"
    assert (found["Status"], found["Origin"], found["Price"]) == ("delivered", "fallback SMS", "12.5")
    assert cells("en", {"price": {"amount": Decimal("0.30"), "currency": "XOF"}})["Price"] == "0.30"


def test_a_code_without_a_term_is_shown_itself() -> None:
    assert cells("fr", {"status": "unheard-of"})["Statut"] == "unheard-of"


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_a_title_of_its_own(kind: Kind, language: Language) -> None:
    titles = [SheetWording().title(column.field, language) for column in COLUMNS[kind]]
    assert len(set(titles)) == len(titles)
