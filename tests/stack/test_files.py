"""Files as officers save them, over HTTP: one register saved in eight ways, and a wrong file of each kind."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Json, Programme, organisation_of
from tests.stack.running import RunningStack, started
from tests.unit.recipients.files.workbooks import opened, workbook, written
from tests.waiting import until

REGISTER = (
    ("Registre du PNV, district de Thiès", "", "", "", "", ""),
    ("N°", "Téléphone", "Prénom(s)", "Nom", "N° carte", "Langue"),
    ("1", "77 000 82 01", "Aïssatou", "N’Diaye", "C-1", "fr"),
    ("2", "+221 (0) 77 000 82 02", "Zoé; dite « Bébé »", 'Ba "Junior"', "C-2", "fr"),
    ("", "", "", "", "", ""),
    ("3", "77 000 82 03 (WhatsApp)", "Fatou", "Sow", "C-3", "fr"),
    ("4", "77 000", "Trop", "Court", "C-4", "fr"),
)
TEXT: Json = {"content": {"text": "Bonjour {first_name} {last_name}, carte {card_code}"}}


def table(separator: str, head: str = "") -> str:
    """As Excel writes it: quotes where there must be some, CR LF."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set(f'"\n{separator}') else text

    return head + "".join(separator.join(map(cell, row)) + "\r\n" for row in REGISTER)


EIGHT: dict[str, tuple[str, bytes]] = {
    "UTF-8": ("csv", table(",").encode()),
    "UTF-8 with a byte order mark": ("csv", table(",").encode("utf-8-sig")),
    "Windows-1252": ("csv", table(",").encode("cp1252")),
    "UTF-16": ("csv", table("\t").encode("utf-16")),
    "semicolons": ("csv", table(";").encode("cp1252")),
    "tabs": ("csv", table("\t").encode()),
    "sep=": ("csv", table(";", "sep=;\r\n").encode()),
    "XLSX": ("xlsx", workbook(*REGISTER)),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(tmp_path_factory.mktemp("files") / "log") as stack:
        yield stack


@pytest.fixture
def programme(running: RunningStack, request: pytest.FixtureRequest) -> Iterator[Programme]:
    with Programme(running, organisation_of(request.node.nodeid)) as made:
        made.api.headers["Accept-Language"] = "fr"
        yield made


def made_from(programme: Programme, content: bytes, form: str, **changes: Any) -> Json:
    upload_id = programme.upload(content, form)
    return programme.ok(programme.distribute(upload_id=upload_id, **TEXT, **changes))


def planned(programme: Programme, made: Json) -> Json:
    return until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["status"] != "planning")


def test_one_register_saved_in_eight_ways_is_one_list(programme: Programme) -> None:
    """The same rows are accepted, the same one is refused with the same sentence, and the same texts go out."""
    made = {
        way: made_from(programme, content, form, campaign_id=f"campaign-{place}", confirm=True)
        for place, (way, (form, content)) in enumerate(EIGHT.items())
    }
    found = {way: planned(programme, one) for way, one in made.items()}
    for way, one in found.items():
        assert (way, one["accepted"], one["rejected"], one["duplicates"]) == (way, 3, 1, 0)
        [error] = one["errors"]
        below_sep = way == "sep="
        assert (way, error["row"], error["line"], error["code"]) == (way, 5, 7 + below_sep, "phone_invalid")
        assert {warning["code"] for warning in one["warnings"]} >= {"lines_skipped", "unknown_columns"}
    first, *others = found.values()
    fields = [None, "phone", "first_name", "last_name", "card_code", "language"]
    assert [one["field"] for one in first["columns"]] == fields
    assert [one["header"] for one in first["columns"]] == list(REGISTER[1])
    for one in others:
        assert one["columns"] == first["columns"]
        assert (one["segments"], one["prices"]) == (first["segments"], first["prices"])
        assert one["errors"][0]["message"] == first["errors"][0]["message"]
    sent = until(lambda: programme.ledger("orange"), lambda texts: len(texts) >= 3 * len(EIGHT))
    texts = Counter((one["recipient"], one["text"]) for one in sent)
    assert len(texts) == 3
    assert set(texts.values()) == {len(EIGHT)}
    assert any('Zoé; dite « Bébé » Ba "Junior"' in text for _, text in texts)


def poisoned() -> bytes:
    """One cell in the last column of the last row."""

    def write(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["phone", "770008201"])
        sheet.write(1_048_575, 16_383, "x")

    return written(write)


ROWS = "".join(f"77000{DELIVERED + number};Awa\n" for number in range(5))
WRONG: list[tuple[str, bytes, str, str, int | None, str]] = [
    ("csv", b"\r\n\r\n", "file_empty", "file", None, "aucune ligne de données"),
    ("csv", f"phone;nom\n{ROWS}7;Amélie\n".encode("mac-roman"), "encoding_unknown", "file", 7, "CSV UTF-8"),
    ("csv", ROWS.encode(), "header_missing", "file", 1, "Ajoutez au-dessus une ligne"),
    ("csv", f"Contact du parent;Nom\n{ROWS}".encode(), "phone_column_missing", "phone", 1, "Contact du parent"),
    ("csv", f"Téléphone;Tél.\n{ROWS}".encode(), "column_twice", "phone", None, "Téléphone, Tél."),
    ("csv", f'phone;nom\n{ROWS}77000;"Awa\n{ROWS}'.encode(), "quote_unclosed", "file", 7, "à la ligne 7"),
    ("csv", opened(*REGISTER), "not_this_format", "file", None, "un classeur Excel"),
    ("xlsx", ROWS.encode(), "not_this_format", "file", None, "du texte"),
    ("xlsx", poisoned(), "not_this_format", "file", None, "Supprimez les lignes et les colonnes au-delà de la liste"),
    ("ndjson", b"%PDF-1.7", "not_this_format", "file", None, "un PDF"),
    ("ndjson", b"x" * 3_000_000, "not_this_format", "file", 1, "dépasse 1 Mo"),
    ("xlsx", opened(*REGISTER)[:4000], "not_this_format", "file", None, "enregistrez-le de nouveau"),
]


def test_a_wrong_file_of_each_kind_says_in_french_what_to_mend(programme: Programme) -> None:
    """And a good list of another organisation is planned meanwhile."""
    made = [made_from(programme, content, form) for form, content, *_ in WRONG]
    with Programme(programme.stack, f"{programme.organisation}-b") as other:
        good = planned(other, made_from(other, EIGHT["XLSX"][1], "xlsx"))
        assert (good["status"], good["accepted"]) == ("planned", 3)
    for one, (form, _, code, field, line, mend) in zip(made, WRONG, strict=True):
        found = planned(programme, one)
        assert (found["status"], found["status_reason"], found["accepted"]) == ("rejected", "file_unreadable", 0)
        [error] = found["errors"]
        assert (form, error["code"], error["field"], error.get("line")) == (form, code, field, line)
        assert mend in error["message"]
        listed = programme.ok(programme.api.get(f"/v1/distributions/{one['distribution_id']}/errors"))
        assert listed == {"items": [error], "next_cursor": None}
    assert programme.ledger("orange") == []


def test_dhis2_as_an_array_and_as_pages_one_after_the_other(programme: Programme) -> None:
    mapping = {"attributes": {"phone": "aPhone00001", "first_name": "aFirst00001"}}
    programme.ok(programme.api.put("/v1/integrations/dhis2", json=mapping))
    one, two = (
        f'{{"trackedEntity": "tEnt000000{place}", "attributes": ['
        f'{{"attribute": "aPhone00001", "value": "77 000 82 0{place}"}},'
        f'{{"attribute": "aFirst00001", "value": "Awa"}}]}}'
        for place in (1, 2)
    )
    content = {"text": "Bonjour {first_name}"}
    for saved, warned in (
        (f"[{one}, {two}]", False),
        (f'{{"pager": {{"page": 1, "total": 3}}, "trackedEntities": [{one}]}}\n{{"trackedEntities": [{two}]}}', True),
    ):
        upload_id = programme.upload(saved.encode(), "dhis2")
        found = planned(programme, programme.ok(programme.distribute(upload_id=upload_id, content=content)))
        assert (found["status"], found["accepted"], found["columns"]) == ("planned", 2, None)
        assert ("pages_missing" in {warning["code"] for warning in found["warnings"]}) is warned
