"""docs/simulators.md and the code agree: the same special numbers, credentials, calls and settings, and no others."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from starlette.routing import Route

from local.simulators.meta.access import REFUSED_NUMBERS, REFUSED_TOKENS
from local.simulators.meta.templates import ALWAYS
from local.simulators.orange.simulator import ODD_CLIENTS, REFUSED_CLIENTS
from local.simulators.orange.tokens import REVOKED, STALE, WRONG_SECRET
from local.simulators.outcomes import META, ORANGE, Outcome
from local.simulators.settings import Settings
from tests.simulators.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading, to the next heading of any level."""
    return PAGE.split(f"\n{title}\n", 1)[1].split("\n#", 1)[0]


def rows(text: str) -> Iterator[list[str]]:
    r"""The cells of every table's rows; `\|` does not end a cell."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(("title", "table"), [("### WhatsApp", META), ("### SMS", ORANGE)])
def test_special_numbers(title: str, table: Mapping[str, Outcome]) -> None:
    documented = [(cells[0], cells[1]) for cells in rows(section(title)) if cells[0].isdigit()]
    assert documented == [(digits, outcome.summary) for digits, outcome in table.items()]


def credentials() -> dict[str, dict[str, str]]:
    """Kind → value → what happens."""
    found: dict[str, dict[str, str]] = {}
    kind = ""
    for cells in rows(section("## Credentials")):
        kind = cells[0] or kind
        found.setdefault(kind, {}).update(dict.fromkeys(quoted(cells[1]), cells[2]))
    return found


def test_credentials_of_orange() -> None:
    found = credentials()
    assert set(found["client ID"]) == {REVOKED, STALE, *REFUSED_CLIENTS, *ODD_CLIENTS}
    assert set(found["client secret"]) == {WRONG_SECRET}


def test_credentials_of_meta() -> None:
    found = credentials()
    assert set(found["access token"]) == set(REFUSED_TOKENS)
    assert set(found["phone number ID"]) == set(REFUSED_NUMBERS)
    for name, (code, _) in {**REFUSED_TOKENS, **REFUSED_NUMBERS}.items():
        says = found["access token" if name in REFUSED_TOKENS else "phone number ID"][name]
        assert says.endswith(f"code {code}" if " code " in says else f", {code}"), name
    names = next(cells for cells in rows(section("## Credentials")) if cells[0] == "template name")
    codes = dict(zip(quoted(names[1]), map(int, names[2].split(", ")), strict=True))
    assert codes == ALWAYS


def test_control() -> None:
    documented = set()
    for cells in rows(section("## Control")):
        path = re.search(r"/_control/\w+", cells[0])
        if path is not None:
            documented |= {(method, path.group()) for method in re.findall(r"GET|POST", cells[0])}
    routes = [each for each in World().app.routes if isinstance(each, Route) and each.path.startswith("/_control/")]
    answered = {(method, each.path) for each in routes for method in (each.methods or set()) - {"HEAD"}}
    assert documented == answered


def test_settings() -> None:
    documented: dict[str, str] = {}
    for cells in rows(section("## Control")):
        names = quoted(cells[0])
        if len(cells) == 3 and names:
            values = cells[1].split(", ")
            documented |= zip(names, values if len(values) == len(names) else [cells[1]] * len(names), strict=True)
    defaults = asdict(Settings(api_url="as started"))
    assert set(documented) == set(defaults)
    units = defaults.pop("units")
    assert documented["units"] == f"{units['SN']:,} each"
    for name, value in defaults.items():
        assert documented[name] == value if isinstance(value, str) else json.loads(documented[name]) == value, name
