"""Without a stack: what a recording leaves out, what it keeps, and how two are compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.recording.__main__ import main
from tests.recording.coverage import NotCoveredError, coverage, hold_complete
from tests.recording.normalise import Normaliser
from tests.recording.tape import Operation, operations, written

FIRST, SECOND = "9a6089eb-57e9-580f-8344-8e4ab92f7bb9", "bd7086f7-6761-5e5b-b177-c12f7a24e37d"


def test_the_same_id_gets_the_same_placeholder_in_order_of_appearance() -> None:
    names = Normaliser()
    shown = names.value({"message_id": FIRST, "items": [SECOND, f"{FIRST}.1", "wamid." + "A" * 30]})
    assert shown == {"message_id": "<message-1>", "items": ["<id-1>", "<message-1>.1", "<provider-id-1>"]}
    assert names.text(f"/v1/messages/{FIRST}/resend") == "/v1/messages/<message-1>/resend"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("2026-11-23T10:05:11.702Z", "<time>"),
        ("2026-11-23T07:00:00Z", "2026-11-23T07:00:00Z"),
        ("ends on 2026-12-23", "ends on 2026-12-23"),
        (
            "http://127.0.0.1:41234/cards/x.png http://127.1:4/",
            "http://127.0.0.1:<port>/cards/x.png http://127.1:<port>/",
        ),
        ("Wait 37 s and try again.", "Wait <seconds> s and try again."),
        ("/webhooks/orange/rec-x/AbCdEfGhIjKlMnOpQr", "/webhooks/orange/rec-x/<receipt-token-1>"),
        ("x?X-Amz-Date=20261123T1005Z&X-Amz-Signature=ab12", "x?X-Amz-Date=<signed>&X-Amz-Signature=<signed>"),
        ("messages-all-sms-20261123-0640.csv", "messages-all-sms-<time>.csv"),
        ("<?limit=1&cursor=PFqY3-R5vrQJeyJhdCI6IjE3OTU0>", "<?limit=1&cursor=<cursor-1>>"),
        ("?cursor=AAAA", "?cursor=AAAA"),
    ],
)
def test_random_values_are_replaced_and_the_rest_stays(found: str, shown: str) -> None:
    assert Normaliser().text(found) == shown


def test_measured_values_are_replaced_only_in_their_own_fields() -> None:
    names = Normaliser()
    measured: Any = {"median_delivery_seconds": 1, "timestamp": "1795428100", "time": 1795428100, "media_id": "17"}
    kept: Any = {"segments": 1, "attempts": 2, "valid": True, "median_delivery_seconds": None, "price": None}
    shown = names.value(measured)
    assert shown == {
        "median_delivery_seconds": "<seconds>",
        "timestamp": "<time>",
        "time": "<time>",
        "media_id": "<media>",
    }
    assert names.value(kept) == kept


def test_headers_lose_the_date_and_a_length_that_is_right() -> None:
    names = Normaliser()
    shown = names.headers({"Date": "x", "Content-Length": "2", "Retry-After": "37", "Vary": "accept"}, b"{}")
    assert shown == {"content-length": "<length>", "retry-after": "<seconds>", "vary": "accept"}
    assert names.headers({"content-length": "3"}, b"{}") == {"content-length": "3 instead of 2"}


def test_items_without_an_order_are_sorted_by_what_is_not_random() -> None:
    items: list[Any] = [{"message_id": FIRST, "status": "sent"}, {"message_id": SECOND, "status": "failed"}]
    other: list[Any] = [{"message_id": FIRST, "status": "failed"}, {"message_id": SECOND, "status": "sent"}]
    assert Normaliser().in_any_order(items)[0] == items[1]
    shown = [names.value(names.in_any_order(side)) for names, side in ((Normaliser(), items), (Normaliser(), other))]
    assert shown[0] == shown[1]
    names = Normaliser()
    names.value({"message_id": SECOND})
    alike: list[Any] = [{"message_id": FIRST}, {"message_id": SECOND}]
    assert names.in_any_order(alike) == names.in_any_order(alike[::-1])
    body = json.dumps({"items": items}).encode()
    assert Normaliser().body(body) != Normaliser().body(body, unordered=True)
    assert Normaliser().body(b"ok\nthen") == ["ok", "then"]


def exchange(name: str, status: int = 200, body: Any = None, operation: str = "health", language: str = "en") -> Any:
    request = {"method": "GET", "path": "/health", "headers": {}}
    return {
        "name": name,
        "operation": operation,
        "language": language,
        "request": request,
        "status": status,
        "headers": {},
        "body": body,
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "before.json", tmp_path / "after.json"


def test_recordings_with_the_same_content_compare_equal(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for one in files:
        one.write_text(written([exchange("a 001"), exchange("a 002")], {}))
    assert main(["compare", *map(str, files)]) == 0
    assert "2 and 2 exchanges, 0 differ" in capsys.readouterr().out


def test_a_difference_is_shown_and_fails(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    before, after = files
    before.write_text(written([exchange("a 001", body={"x": "old"}), exchange("a 002")], {}))
    after.write_text(written([exchange("a 001", body={"x": "new"}), exchange("a 003")], {}))
    assert main(["compare", str(before), str(after)]) == 1
    shown = capsys.readouterr().out
    assert '-  "x": "old"' in shown
    assert '+  "x": "new"' in shown
    assert "only before: a 002" in shown
    assert "only after: a 003" in shown


def test_coverage_names_what_did_not_occur() -> None:
    known = [Operation(name="health", method="GET", path="/health", statuses=("200", "404"))]
    field_error = {"code": "bad_request", "errors": [{"field": "x", "code": "field_invalid"}], "title": "x"}
    met = [exchange("a 001"), exchange("a 002", language="fr"), exchange("a 003", 404, field_error)]
    covered = coverage(known, met)
    hold_complete(covered)
    assert covered["operations"] == {"health": {"en": [200, 404], "fr": [200]}}
    assert covered["not_provoked"]["statuses"] == ["404 of health (fr)"]
    assert "bad_request" not in covered["not_provoked"]["problems"]
    assert "field_invalid" not in covered["not_provoked"]["fields"]
    with pytest.raises(NotCoveredError, match=r"health \(fr\)"):
        hold_complete(coverage(known, met[:1]))


def test_operations_are_those_of_the_document() -> None:
    document = {"paths": {"/x/{id}": {"get": {"operationId": "get_x", "responses": {"200": {}}}, "parameters": []}}}
    assert operations(document) == [Operation(name="get_x", method="GET", path="/x/{id}", statuses=("200",))]
