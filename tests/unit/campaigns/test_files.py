"""An uploaded file of each format, planned: what its plan says of it, what a refused one says, and a killed run."""

import json
from collections import Counter
from dataclasses import replace
from typing import cast

import pytest

from shared.api import documents
from shared.base.json import Renderable
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.integrations.integration import Dhis2Integration
from tests.fakes.office import DEMO, Office
from tests.unit.recipients.files.workbooks import workbook

PHONES = [f"+221770008{number}" for number in range(201, 501)]
TITLES = ("Téléphone", "Prénom", "Code carte", "Lien de vérification", "Village")
TABLE = [TITLES, *((phone, "Aïda", f"C-{phone[-3:]}", "https://v/1", "Thiès") for phone in PHONES)]
UIDS = {
    "phone": "aPhone00001",
    "first_name": "aFirst00001",
    "card_code": "aCard000001",
    "verification_url": "aUrl0000001",
}


def csv_of(separator: str = ";") -> bytes:
    return "\r\n".join(separator.join(row) for row in TABLE).encode("cp1252")


def ndjson() -> bytes:
    names = ("phone", "first_name", "card_code", "verification_url")
    return "\n".join(json.dumps(dict(zip(names, row, strict=False))) for row in TABLE[1:]).encode()


def dhis2() -> bytes:
    entities = [
        {"trackedEntity": f"tEnt{place:07}", "attributes": [
            {"attribute": uid, "value": value} for uid, value in zip(UIDS.values(), row, strict=False)
        ]}
        for place, row in enumerate(TABLE[1:])
    ]  # fmt: skip
    pages = [
        {"pager": {"page": 1, "total": 400}, "trackedEntities": entities[:200]},
        {"trackedEntities": entities[200:]},
    ]
    return "\n".join(map(json.dumps, pages)).encode()


FILES = {"csv": csv_of(), "xlsx": workbook(*TABLE), "ndjson": ndjson(), "dhis2": dhis2()}


@pytest.fixture
def office() -> Office:
    made = Office()
    mapping = Dhis2Integration(organisation=DEMO, attributes=UIDS, program=None, version=1)
    made.run(made.integrations.put(mapping))
    return made


def upload(office: Office, content: bytes, form: str, *, confirm: bool = False) -> Distribution:
    """Made, and its planning still to be done."""
    office.uploads.put(DEMO, "u", form, content)
    new = replace(office.new_distribution([], confirm=confirm), recipients=None, upload_id="u")
    return office.run(office.planning().create(new))


def shown(office: Office, made: Distribution, language: str = "en") -> dict[str, Renderable]:
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    return documents.distribution(view, "fr" if language == "fr" else "en")


def warnings(document: dict[str, Renderable]) -> dict[str, str]:
    listed = cast(list[dict[str, str]], document["warnings"])
    return {one["code"]: one["message"] for one in listed}


@pytest.mark.parametrize("form", FILES)
def test_a_list_of_each_format_is_planned(office: Office, form: str) -> None:
    made = upload(office, FILES[form], form)
    office.do_tasks()
    document = shown(office, made)
    assert (document["status"], document["accepted"], document["rejected"]) == ("planned", len(PHONES), 0)
    fields = ("phone", "first_name", "card_code", "verification_url", None)
    columns = [{"header": title, "field": name} for title, name in zip(TITLES, fields, strict=True)]
    assert document["columns"] == (columns if form in ("csv", "xlsx") else None)
    expected = {"unknown_columns"} if form in ("csv", "xlsx") else {"pages_missing"} if form == "dhis2" else set()
    assert set(warnings(document)) & {"unknown_columns", "pages_missing", "lines_skipped"} == expected


def test_what_was_skipped_and_what_is_missing_is_said(office: Office) -> None:
    made = upload(office, b"Registre 2026\n" + FILES["csv"], "csv")
    office.do_tasks()
    french = warnings(shown(office, made, "fr"))
    assert "Lignes concernées : 1." in french["lines_skipped"]
    assert "Les colonnes : Village." in french["unknown_columns"]


def test_a_language_that_is_not_ours_is_counted(office: Office) -> None:
    rows = "".join(
        f"{phone};C-{phone[-3:]};https://v/1;Awa;{word}\n"
        for phone, word in zip(PHONES, ("Wolof", "Français"), strict=False)
    )
    made = upload(office, f"phone;card;verification link;prénom;Langue\n{rows}".encode(), "csv")
    office.do_tasks()
    document = shown(office, made, "fr")
    assert document["accepted"] == 2
    assert "Messages concernés : 1." in warnings(document)["language_fallback"]


def test_missing_pages_are_counted(office: Office) -> None:
    made = upload(office, FILES["dhis2"], "dhis2")
    office.do_tasks()
    assert "Dossiers lus : 300. Dossiers dans DHIS2 : 400." in warnings(shown(office, made, "fr"))["pages_missing"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", ["plans.write_chunk", "people.consents", "distributions.save"])
@pytest.mark.parametrize("form", FILES)
def test_a_killed_run_of_each_format_is_done_again_and_each_person_gets_one(
    office: Office, form: str, point: str, nth: int
) -> None:
    made = upload(office, FILES[form], form, confirm=True)
    office.tasks.tasks.clear()
    office.killed(office.planning().plan_stored(DEMO, made.distribution_id), (point, nth))
    office.clock.pass_by(minutes=17)
    office.tick()
    office.finish()
    sent = Counter(number for number, _ in office.provider.accepted)
    assert set(sent) == set(PHONES)
    assert set(sent.values()) == {1}


REFUSED = [
    (b"", "csv", "file_empty", None, "Vérifiez que vous avez enregistré la bonne feuille"),
    (
        b"phone;nom\n770008201;Ba\xff\xc3\xa9\xc3\xa9\n",
        "csv",
        "encoding_unknown",
        2,
        "La première se trouve à la ligne 2",
    ),
    (b"770008201;Awa\n770008202;Ida\n", "csv", "header_missing", 1, "La ligne 1 contient déjà des données"),
    (b"Village;Nom\nx;y\n", "csv", "phone_column_missing", 1, "Colonnes trouvées à la ligne 1 : Village, Nom."),
    (b"phone;nom;NOM\n770008201;x;y\n", "csv", "column_twice", None, "Ce sont : nom, NOM."),
    (b'phone;nom\n770008201;"x\n770008202;y\n', "csv", "quote_unclosed", 2, "Il est ouvert à la ligne 2."),
    (workbook(*TABLE), "csv", "not_this_format", None, "Le fichier est plutôt un classeur Excel (format xlsx)."),
    (b"phone;nom\n770008201;x\n", "xlsx", "not_this_format", None, "Le fichier est plutôt du texte (format csv)."),
    (b'{"events": []}', "dhis2", "not_this_format", None, "Exportez-le depuis l’API tracker de DHIS2."),
    (workbook(*TABLE)[:5000], "xlsx", "not_this_format", None, "Ouvrez-le dans Excel, puis enregistrez-le de nouveau."),
    (b"\n\n", "ndjson", "file_empty", None, "Le fichier ne contient aucune ligne de données."),
]


@pytest.mark.parametrize(("content", "form", "code", "line", "mend"), REFUSED)
def test_a_refused_file_says_why_where_and_what_to_mend(
    office: Office, content: bytes, form: str, code: str, line: int | None, mend: str
) -> None:
    made = upload(office, content, form)
    office.do_tasks()
    document = shown(office, made, "fr")
    assert (document["status"], document["status_reason"]) == ("rejected", "file_unreadable")
    [error] = cast(list[dict[str, str]], document["errors"])
    assert (error["code"], error.get("line")) == (code, line)
    assert mend in error["message"]
    listed, following = office.run(office.browse.field_errors(DEMO, made.distribution_id, 0, 0, 50))
    assert ([one.code for one in listed], following) == ([code], None)
    assert shown(office, made, "en")["errors"] != document["errors"]


def test_rows_that_were_rejected_before_the_damage_do_not_hide_why_the_file_is(office: Office) -> None:
    rows = "".join(f"77000{number:04};Awa\n" for number in range(3000))
    made = upload(office, f'phone;first_name\n{rows}770008201;"Awa\n770008202;Ida\n'.encode(), "csv")
    office.do_tasks()
    assert [one["code"] for one in cast(list[dict[str, str]], shown(office, made)["errors"])] == ["quote_unclosed"]


def test_a_file_that_kills_three_runs_says_so(office: Office) -> None:
    made = upload(office, FILES["xlsx"], "xlsx")
    office.tasks.tasks.clear()
    for _ in range(3):
        assert office.killed(office.planning().plan_stored(DEMO, made.distribution_id), ("plans.write_chunk", 1))
        office.clock.pass_by(minutes=17)
    office.tick()
    document = shown(office, made, "fr")
    assert document["status"] == DistributionStatus.REJECTED
    [error] = cast(list[dict[str, str]], document["errors"])
    assert "sa lecture a échoué trois fois" in error["message"]


def test_a_file_that_is_gone_says_so(office: Office) -> None:
    made = upload(office, FILES["csv"], "csv")
    office.run(office.uploads.erase(DEMO, "u"))
    office.do_tasks()
    [error] = cast(list[dict[str, str]], shown(office, made, "fr")["errors"])
    assert "n’existe plus" in error["message"]


def test_a_line_without_end_and_json_without_bottom_are_refused(office: Office) -> None:
    for content, form, why in (
        (b"phone;first_name\n770008201;" + b"x" * 5_000_000, "csv", "cette ligne dépasse 1 Mo"),
        (b"[" * 100_000, "dhis2", "trop imbriqué"),
    ):
        office = Office()
        office.run(
            office.integrations.put(Dhis2Integration(organisation=DEMO, attributes=UIDS, program=None, version=1))
        )
        made = upload(office, content, form)
        office.do_tasks()
        [error] = cast(list[dict[str, str]], shown(office, made, "fr")["errors"])
        assert why in error["message"]
