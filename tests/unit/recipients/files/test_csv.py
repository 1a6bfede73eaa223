"""Separators, quotes and line ends as spreadsheets write them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.recipients.files.reading import raws, refused, rows

PHONE, OTHER = "+221770000001", "+221770000002"
AWA = {"phone": PHONE, "first_name": "Awa, dite Bébé", "last_name": "Ba; Sy"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep={0}", '"sep={0}"', "SEP={0}"])
def test_separators(separator: str, end: str, first: str) -> None:
    head = first.format(separator) + end if first else ""
    cells = (PHONE, '"Awa, dite Bébé"', '"Ba; Sy"')
    content = head + separator.join(("phone", "Prénom", "Nom")) + end + separator.join(cells) + end
    assert raws(content.encode()) == [AWA]
    assert [row.line for row in rows(content.encode())] == [3 if first else 2]


def test_sep_may_name_any_separator() -> None:
    assert raws(f"sep=^\nphone^first_name\n{PHONE}^Awa\n".encode()) == [{"phone": PHONE, "first_name": "Awa"}]


def test_a_title_over_two_lines_and_a_cell_over_three() -> None:
    content = f'"N° de\nTéléphone";Prénom\r\n{PHONE};"A\nw\na"\r\n;\r\n{OTHER};Ida\r\n'
    assert [(row.number, row.line) for row in rows(content.encode())] == [(1, 3), (3, 7)]


@pytest.mark.parametrize(
    ("cell", "value"), [('="0042"', "0042"), ('"=""0042"""', "0042"), ("'42", "'42"), ('"=""x"" & A1"', '="x" & A1')]
)
def test_a_text_that_excel_was_kept_from_taking_for_a_number(cell: str, value: str) -> None:
    assert raws(f"phone;card_code\n{PHONE};{cell}\n".encode()) == [{"phone": PHONE, "card_code": value}]


def test_the_line_of_an_open_quote_is_named() -> None:
    many = "".join(f"{PHONE};Awa\n" for _ in range(200))
    content = f'phone;first_name\n{many}{PHONE};"Awa\n{many}'
    found = refused(content.encode())
    assert (found.code, found.line, found.facts["line"]) == ("quote_unclosed", 202, "202")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "workbook"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "opendocument"),
        (b"PK\x03\x04" + b"\0" * 26 + b"liste.csv", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old_workbook"),
        (b"%PDF-1.7", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\r\n<!DOCTYPE html><html>", "web_page"),
        (b'\xef\xbb\xbf {"trackedEntities": []}', "json"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(content: bytes, kind: str) -> None:
    found = refused(content)
    assert (found.code, found.facts) == (
        "not_this_format",
        {"format": "csv", "looks_like": kind, "why": "another_kind"},
    )


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20)


@given(
    table=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    everything=st.booleans(),
)
def test_what_a_writer_of_csv_writes_is_read_back(
    table: list[tuple[str, str]], separator: str, end: str, everything: bool
) -> None:
    """Quotes, separators and line breaks in cells, quoted where they must be or everywhere."""
    written = io.StringIO()
    writer = csv.writer(
        written,
        delimiter=separator,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL,
    )
    writer.writerows([("phone", "Prénom", "Nom"), *((PHONE, *cells) for cells in table)])
    expected = [{"phone": PHONE, "first_name": one, "last_name": two} for one, two in table]
    for row in expected:
        row |= {name: cell[2:-1] for name, cell in row.items() if cell.startswith('="') and cell.endswith('"')}
    assert raws(written.getvalue().encode()) == expected
