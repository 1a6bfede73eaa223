"""A worker's memory between batches is limited: it is an `LruCache`, or this file names what empties it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMPTIED = {
    "shared/storage/secrets.py _missed": "one entry a kind of settings",
    "shared/app/telemetry.py _numbers": "written and emptied at the end of each invocation",
    "shared/cards/probe.py _hosts": "lives as long as one plan",
    "shared/cards/probe.py kept": "lives as long as one plan",
    "shared/recipients/recipient.py field_errors": "lives as long as one row is read",
    "shared/base/caches.py _kept": "the cache itself",
    "shared/api/router.py _routes": "the function's own routes",
    "shared/duplicates/already_sent.py _decides": "lives as long as one request or chunk",
    "shared/pacing/slots.py _wishes": "each entry is taken by the booking that fulfils it",
    "shared/duplicates/already_sent.py _keys": "lives as long as one answer",
    "shared/duplicates/already_sent.py _found": "lives as long as one answer",
    "shared/duplicates/already_sent.py _sent": "lives as long as one answer",
    "shared/messages/fallbacks.py _silences": "emptied by `flush`, once a batch",
    "shared/base/caches.py _asked": "emptied by each read",
    "shared/base/caches.py _known": "what is too old goes with each read",
    "shared/base/concurrency.py _asked": "emptied by each read",
    "shared/integrations/administration.py _field_errors": "lives as long as one request",
    "shared/campaigns/planning.py _field_errors": "lives as long as one plan",
    "shared/campaigns/planning.py _runs": "lives as long as one plan",
    "shared/campaigns/samples.py _first": "lives as long as one plan",
    "shared/campaigns/samples.py _languages": "lives as long as one plan",
    "shared/campaigns/samples.py _countries": "lives as long as one plan",
    "shared/recipients/files/text.py _ahead": "lives as long as one file is read",
    "shared/sending/last_heard.py _read": "emptied by `forget`, once a batch",
    "shared/pacing/quota.py _until": "what is over goes with each new entry",
    "shared/sending/last_heard.py _numbers": "emptied by `flush`, once a batch",
    "shared/sending/last_heard.py _sent": "emptied by `flush`, once a batch",
    "shared/messages/status_writer.py _accepted": "emptied by `flush`, once a batch",
    "shared/messages/status_writer.py _began": "emptied by `flush`, once a batch",
    "shared/messages/status_writer.py _uncertain": "emptied by `flush`, once a batch",
    "shared/messages/status_writer.py _changes": "emptied by `flush`, once a batch",
    "shared/base/concurrency.py _under_way": "each write leaves when it is done",
}
EMPTY = ("set", "dict", "list", "defaultdict", "deque", "Counter")


def is_empty_collection(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in EMPTY
        case _:
            return False


def memories(source: str) -> list[str]:
    """Attributes that begin empty and that an object may fill as long as it lives."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.FunctionDef) and node.name == "__init__"):
            continue
        for step in ast.walk(node):
            match step:
                case ast.AnnAssign(target=ast.Attribute(attr=name), value=value) if is_empty_collection(value):
                    found.append(name)
                case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if is_empty_collection(value):
                    found.append(name)
    return found


def test_every_memory_is_limited_or_emptied() -> None:
    files = [file for folder in ("shared", "functions") for file in sorted((ROOT / folder).rglob("*.py"))]
    found = {f"{file.relative_to(ROOT)} {name}" for file in files for name in memories(file.read_text("utf-8"))}
    assert found == set(EMPTIED)


def test_an_unlimited_cache_is_found() -> None:
    body = ("self._known: dict[str, int] = {}", "self._seen = set()", "self._fine = LruCache(4)")
    source = "class A:\n    def __init__(self) -> None:\n        " + "\n        ".join(body)
    assert memories(source) == ["_known", "_seen"]
