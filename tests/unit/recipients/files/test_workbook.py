"""XLSX: what Excel really writes, and what an attacker writes. Each workbook is read in a process of its own."""

import io
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.campaigns.distribution import Column
from shared.recipients.files.cells import text_of
from shared.storage.workbook_child import MOST_MEMORY, MOST_PACKED, MOST_SECONDS
from shared.storage.workbooks import started
from tests.unit.recipients.files.reading import raws, reader, refused, rows
from tests.unit.recipients.files.workbooks import inline, numbers, opened, with_part, workbook, written
from tests.waiting import until

PHONE, OTHER = "+221770000001", "+221770000002"
LIST = (("Téléphone", "Prénom", "Village"), (PHONE, "Aïssatou", "Thiès"), (OTHER, "Moussa", ""))
PEOPLE = [{"phone": PHONE, "first_name": "Aïssatou"}, {"phone": OTHER, "first_name": "Moussa"}]


@pytest.mark.parametrize("saved", [workbook(*LIST), opened(*LIST), inline(workbook(*LIST))])
def test_a_list(saved: bytes) -> None:
    made = reader(saved, "xlsx")
    assert raws(saved, "xlsx") == PEOPLE
    assert made.columns is not None
    assert made.columns[2] == Column(header="Village", field=None)
    assert [one.code for one in made.warnings] == ["unknown_columns"]


def test_rows_have_the_numbers_that_excel_shows() -> None:
    """A merged title, a blank line, titles on line 4, a blank row among the data, and a line break in a cell."""

    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 1, 0, 3, "Registre du poste de Thiès", book.add_format({"bold": True}))
        sheet.write(1, 1, "novembre 2026")
        sheet.write_row(3, 1, ["Téléphone", "Prénom"])
        sheet.write_row(4, 1, [PHONE, "Aïssa\ntou"])
        sheet.write_blank(5, 1, None, book.add_format({"bg_color": "red"}))
        sheet.write_row(6, 1, [OTHER, "Moussa"])

    saved = written(write)
    assert [(row.number, row.line) for row in rows(saved, "xlsx")] == [(1, 5), (3, 7)]
    assert [(one.code, one.count) for one in reader(saved, "xlsx").warnings] == [("lines_skipped", 2)]


def test_the_first_sheet_that_is_not_hidden_is_read() -> None:
    def write(book: Any) -> None:
        book.add_worksheet("paramètres").hide()
        book.add_worksheet("très cachée").very_hidden()
        book.add_chartsheet("graphique")
        sheet = book.add_worksheet("liste")
        sheet.write_column(0, 0, ["phone", PHONE])
        sheet.activate()
        book.add_worksheet("autre").write_column(0, 0, ["phone", OTHER])

    assert raws(written(write), "xlsx") == [{"phone": PHONE}]


def test_cells_are_what_a_person_sees() -> None:
    titles = ("phone", "issue_date", "card_code", "consent", "first_name", "last_name")

    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, titles)
        sheet.write_number(1, 0, 221770008200)
        sheet.write_datetime(1, 1, date(2026, 3, 9), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_number(1, 2, 42, book.add_format({"num_format": "0.00E+00"}))
        sheet.write_boolean(1, 3, True)
        sheet.write_rich_string(1, 4, "Aïs", book.add_format({"bold": True}), "sa", "tou")
        sheet.write_formula(1, 5, '="Ba"&"ldé"', None, "Baldé")
        sheet.write_number(2, 0, 2.21770008200e11)
        sheet.write_formula(2, 5, "=1/0", None, "#DIV/0!")

    assert raws(written(write), "xlsx") == [
        dict(zip(titles, ("221770008200", "09/03/2026", "42", "true", "Aïssatou", "Baldé"), strict=True)),
        dict(zip(titles, ("221770008200", "", "", "", "", ""), strict=True)),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Awa", "Awa"),
        (True, "true"),
        (False, "false"),
        (770000001.0, "770000001"),
        (0.0, "0"),
        (-3.0, "-3"),
        (1.5, "1.5"),
        (1e20, "1e+20"),
        (date(2026, 3, 9), "09/03/2026"),
        (datetime(2026, 3, 9), "09/03/2026"),  # noqa: DTZ001 - a spreadsheet knows no zone
        (datetime(2026, 3, 9, 14, 5), "09/03/2026 14:05"),  # noqa: DTZ001 - as above
        (time(8, 30), "08:30"),
    ],
)
def test_values(value: Any, text: str) -> None:
    assert text_of(value) == text


@settings(max_examples=10)
@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12), st.booleans()),
        min_size=1,
        max_size=8,
    )
)
def test_texts_come_back_as_they_were_written(cells: list[tuple[str, bool]]) -> None:
    """Blank rows count."""
    table = [("phone", "last_name"), *(("" if blank else PHONE, "" if blank else text) for text, blank in cells)]
    expected = [(number, text) for number, (text, blank) in enumerate(cells, start=1) if not blank]
    saved = opened(*table)
    if expected:
        found = [(row.number, (row.raw or {})["last_name"]) for row in rows(saved, "xlsx")]
        assert found == [(number, _unformula(text)) for number, text in expected]
    else:
        assert refused(saved, "xlsx").code == "file_empty"


def _unformula(text: str) -> str:
    return "" if text.startswith("=") and len(text) > 1 else text


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("saved", "code"),
    [
        (workbook(), "file_empty"),
        (workbook(("Téléphone", "Prénom")), "file_empty"),
        (workbook(("Village", "Prénom"), ("Thiès", "Awa")), "phone_column_missing"),
        (workbook((PHONE, "Awa"), (OTHER, "Ida")), "header_missing"),
        (workbook(("Téléphone", "Tél."), (PHONE, OTHER)), "column_twice"),
    ],
)
def test_tables_that_cannot_be_read(saved: bytes, code: str) -> None:
    assert refused(saved, "xlsx").code == code


def poisoned() -> bytes:
    """Five kilobytes with one cell in the last column of the last row."""

    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["phone", PHONE])
        sheet.write(1_048_575, 16_383, "x")

    return written(write)


def bomb() -> bytes:
    """Half a megabyte that unpacks to half a gigabyte."""
    return with_part(workbook(*LIST), "xl/media/image1.png", 500_000_000)


def lying_bomb() -> bytes:
    """The same, but its directory says that it is small."""
    return bomb().replace((500_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def broken() -> bytes:
    whole = workbook(*LIST)
    return whole[: len(whole) // 2]


def too_large() -> bytes:
    return b"PK\x03\x04" + bytes(26) + b"xl/" + bytes(MOST_PACKED)


def not_really() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (poisoned, "workbook_too_big"),
        (bomb, "workbook_unpacks_too_large"),
        (lying_bomb, "workbook_broken"),
        (broken, "workbook_broken"),
        (not_really, "workbook_broken"),
        (too_large, "workbook_too_large"),
    ],
)
def test_workbooks_that_are_no_list(make: Callable[[], bytes], why: str) -> None:
    found = refused(make(), "xlsx")
    assert (found.code, found.facts["why"]) == ("not_this_format", why)


def test_more_than_a_hundred_thousand_rows_say_so() -> None:
    found = refused(numbers(100_001), "xlsx")
    assert (found.facts["why"], found.line) == ("too_many_workbook_rows", 100_002)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows and sets these limits")
def test_the_process_that_reads_has_limits_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    with started() as child:
        process = Path(f"/proc/{child.pid}")
        try:
            environment = until((process / "environ").read_bytes, lambda found: b"PYTHONPATH" in found)
            assert b"invented" not in environment
            seconds = rf"Max cpu time +{MOST_SECONDS} "  # the limit that is set last
            limits = until((process / "limits").read_text, lambda text: re.search(seconds, text) is not None)
        finally:
            child.kill()
    assert re.search(rf"Max address space +{MOST_MEMORY} +{MOST_MEMORY} ", limits)
