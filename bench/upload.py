"""An upload of any length, made while it is read. All lines have the same length, so its size is known."""

import io
import json
from collections.abc import Iterator
from functools import cache

import xlsxwriter

FORMS = ("csv", "ndjson", "dhis2", "xlsx")
ATTRIBUTES = {
    "phone": "aPhone00001",
    "first_name": "aFirst00001",
    "last_name": "aLast000001",
    "card_code": "aCard000001",
}
_PREFIXES = ("+22177", "+22376", "+22676", "77")
"""Three countries, and a national number as registers hold it."""
_PIECE = 500


def pieces(form: str, rows: int) -> Iterator[bytes]:
    """The file, some hundred rows at a time; a workbook in one."""
    if form == "xlsx":
        yield workbook(rows)
        return
    head, tail = _ENDS[form]
    yield head.encode()
    for start in range(0, rows, _PIECE):
        yield "".join(_row(form, number, rows) for number in range(start, min(start + _PIECE, rows))).encode()
    yield tail.encode()


def length(form: str, rows: int) -> int:
    """The file's size in bytes."""
    if form == "xlsx":
        return len(workbook(rows))
    head, tail = _ENDS[form]
    return len(head) + len(tail) + rows * len(_row(form, 0, rows)) - (form == "dhis2")


@cache
def workbook(rows: int) -> bytes:
    """The CSV's rows, as Excel saves them: shared texts, and every cell a text."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        lines = (line for piece in pieces("csv", rows) for line in piece.decode().splitlines())
        for number, line in enumerate(lines):
            for column, cell in enumerate(line.split(",")):
                sheet.write_string(number, column, cell)
    return target.getvalue()


def _row(form: str, number: int, rows: int) -> str:
    phone = f"{_phone(number):13}"
    names = {"phone": phone, "first_name": "Aminata", "last_name": "Essai", "card_code": f"DKR-{number:07}"}
    if form == "csv":
        return f"{','.join(names.values())},ENR{number:08},oui\n"
    if form == "ndjson":
        return json.dumps({**names, "enrollment_id": f"ENR{number:08}", "consent": True}) + "\n"
    return _entity(names, number) + ("," if number + 1 < rows else "")


def _phone(number: int) -> str:
    """Return an invented number that is valid in its country."""
    prefix = _PREFIXES[number % len(_PREFIXES)]
    digits = 7 if prefix.endswith("77") else 6
    return f"{prefix}{number // len(_PREFIXES) % 10**digits:0{digits}}"


def _entity(names: dict[str, str], number: int) -> str:
    """Return an entity as DHIS2's tracker API does, with fields that planning does not need."""
    attributes = [
        {"attribute": ATTRIBUTES[name], "displayName": name, "valueType": "TEXT", "value": value}
        for name, value in names.items()
    ]
    enrollment = {
        "enrollment": f"eEnr{number:07}",
        "program": "pProg000001",
        "status": "ACTIVE",
        "orgUnit": "oUnit000001",
        "enrolledAt": "2026-10-01T08:00:00.000",
        "attributes": attributes[2:],
    }
    return json.dumps(
        {
            "trackedEntity": f"tEnt{number:07}",
            "trackedEntityType": "tType000001",
            "orgUnit": "oUnit000001",
            "createdAt": "2026-10-01T08:00:00.000",
            "inactive": False,
            "attributes": attributes[:2],
            "enrollments": [enrollment],
        }
    )


_ENDS = {
    "csv": ("phone,first_name,last_name,card_code,enrollment_id,consent\n", ""),
    "ndjson": ("", ""),
    "dhis2": ('{"pager": {"page": 1, "pageSize": 1000000}, "trackedEntities": [', "]}"),
}
