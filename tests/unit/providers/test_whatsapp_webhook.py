import copy
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages.errors import Kind
from shared.messages.message import Status
from shared.providers.answers import PIECE_BYTES
from shared.providers.meta.webhook import pieces, read, verified
from shared.recipients.masking import blank_number_in_wamid
from shared.webhooks.updates import Attempt

MESSAGE = "5a1e0000-0000-5000-8000-000000000001"
WAMID = "wamid.HBgMMjIxNzcwMDAwMDAxFQIAERgSQUJDREVGMDEyMzQ1Njc4OUFCAA=="
AT = datetime(2025, 6, 15, 23, 47, 53, tzinfo=UTC)

type Json = Any  # hypothesis mutates these documents freely


def status(**fields: Json) -> dict[str, Json]:
    return {
        "id": WAMID,
        "status": "sent",
        "timestamp": "1750031273",
        "recipient_id": "221770000001",
        "biz_opaque_callback_data": f"{MESSAGE}.1",
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "utility"},
        **fields,
    }


def value(**fields: Json) -> dict[str, Json]:
    metadata = {"display_phone_number": "221330000000", "phone_number_id": "1060001"}
    return {"messaging_product": "whatsapp", "metadata": metadata, **fields}


def webhook(*values: Json) -> dict[str, Json]:
    changes = [{"field": "messages", "value": value} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "time": 1750031273, "changes": changes}]}


def signed(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


BODY = b'{"entry":[{"text":"\xc3\xa9"}]}'


def test_signed_with_either_secret() -> None:
    assert verified(BODY, signed(BODY, "new"), ["new", "old"])
    assert verified(BODY, signed(BODY, "old"), ["new", "old"])


@pytest.mark.parametrize(
    ("body", "header", "secrets"),
    [
        (BODY, None, ["new"]),
        (BODY, "", ["new"]),
        (BODY, signed(BODY, "other"), ["new", "old"]),
        (BODY, signed(BODY, "new"), []),
        (BODY, signed(BODY, ""), [""]),
        (BODY + b" ", signed(BODY, "new"), ["new"]),
        (BODY, signed(BODY, "new").removeprefix("sha256="), ["new"]),
        (BODY, signed(BODY, "new") + "0", ["new"]),
        (BODY, "sha256=é", ["new"]),
        (BODY, "sha256=\udce9", ["new"]),
        (BODY, "sha1=" + hmac.new(b"new", BODY, hashlib.sha1).hexdigest(), ["new"]),
    ],
)
def test_not_signed(body: bytes, header: str | None, secrets: list[str]) -> None:
    assert not verified(body, header, secrets)


@pytest.mark.parametrize(
    ("reported", "moved"),
    [
        ("sent", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("read", Status.READ),
        ("played", Status.READ),
        ("failed", Status.FAILED),
    ],
)
def test_statuses(reported: str, moved: Status) -> None:
    found = read(json.dumps(webhook(value(statuses=[status(status=reported)]))))
    (report,) = found.reports
    assert (report.status, report.at, found.ignored) == (moved, AT, 0)
    assert report.attempt == Attempt(message_id=MESSAGE, number=1)
    assert report.phone_number_id == "1060001"
    assert report.provider_message_id == blank_number_in_wamid(WAMID)
    assert (report.error is not None) is (moved is Status.FAILED)


def test_every_status_of_a_batch_is_read() -> None:
    one = value(statuses=[status(), status(status="read")])
    batch = webhook(one, value(statuses=[status(status="failed", errors=[{"code": "131026"}])]))
    batch["entry"] += webhook(value(statuses=[status(status="delivered")]))["entry"]
    found = read(json.dumps(batch))
    assert [report.status for report in found.reports] == [Status.SENT, Status.READ, Status.FAILED, Status.DELIVERED]
    error = found.reports[2].error
    assert error is not None
    assert (error.kind, error.reason) == (Kind.RECIPIENT, "not_on_whatsapp")


@pytest.mark.parametrize("missing", ["recipient_id", "pricing", "biz_opaque_callback_data", "id"])
def test_optional_parts_may_be_missing(missing: str) -> None:
    found = status()
    del found[missing]
    assert len(read(json.dumps(webhook(value(statuses=[found])))).reports) == 1


@pytest.mark.parametrize("timestamp", ["1750031273", 1750031273, 1750031273000, "1750031273000", 1750031273.0])
def test_instants(timestamp: Json) -> None:
    assert read(json.dumps(webhook(value(statuses=[status(timestamp=timestamp)])))).reports[0].at == AT


@pytest.mark.parametrize("timestamp", [None, "", "soon", -1, 0, 10**30, True, {}, float("inf"), float("nan")])
def test_an_unreadable_time_is_replaced_by_the_time_of_receipt(timestamp: Json) -> None:
    document = json.dumps(webhook(value(statuses=[status(timestamp=timestamp)])))
    assert read(document).ignored == 1
    assert read(document, received=AT).reports[0].at == AT


@pytest.mark.parametrize(
    "key",
    ["", "c42:r981", MESSAGE, f"{MESSAGE}.", f"{MESSAGE}.x", f"{MESSAGE}.1\n", f"{MESSAGE.upper()}.1", f"{MESSAGE}.-1",
     f"{MESSAGE}.12345", f"{MESSAGE}.١", 7, None, ["x"]],
)  # fmt: skip
def test_keys_of_other_programs(key: Json) -> None:
    found = read(json.dumps(webhook(value(statuses=[status(biz_opaque_callback_data=key)]))))
    assert found.reports[0].attempt is None


@pytest.mark.parametrize(
    "found",
    [
        status(status="deleted"),
        status(status="warning"),
        status(status=None),
        status(status=["sent"]),
        status(id=None, biz_opaque_callback_data="other"),
        {},
        None,
        "sent",
    ],
)
def test_statuses_without_meaning_are_counted(found: Json) -> None:
    both = read(json.dumps(webhook(value(statuses=[status(), found]))))
    assert (len(both.reports), both.ignored) == (1, 1)


@pytest.mark.parametrize(
    ("document", "ignored"),
    [
        ("", 1),
        ("not json", 1),
        ("[]", 1),
        ("{}", 1),
        (json.dumps(webhook(value(messages=[{"id": WAMID, "type": "text"}] * 2))), 2),
        (json.dumps(webhook({"event": "APPROVED", "message_template_id": 1})), 1),
        (json.dumps(webhook(None)), 1),
    ],
)
def test_documents_without_statuses_are_counted(document: str, ignored: int) -> None:
    found = read(document)
    assert (found.reports, found.webhook_events, found.ignored) == ([], [], ignored)


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@st.composite
def mutated(draw: st.DrawFn) -> Json:
    """A real webhook with some of its parts replaced by any value."""
    document = copy.deepcopy(webhook(value(statuses=[status(), status(status="failed", errors=[{"code": 131026}])])))
    for _ in range(draw(st.integers(1, 4))):
        node: Json = document
        while isinstance(node, dict | list) and node:
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if draw(st.booleans()) or not isinstance(node[key], dict | list):
                node[key] = draw(JSON)
                break
            node = node[key]
    return document


@given(JSON | mutated())
def test_never_raises_for_json(document: Json) -> None:
    text = json.dumps(document)
    read(text, received=AT)
    for piece in pieces(text.encode()):
        read(piece)


@given(st.binary() | st.text().map(str.encode))
def test_never_raises_for_bytes(body: bytes) -> None:
    pieces(body)
    read(body.decode("utf-8", "replace"))
    verified(body, body.decode("latin-1"), ["secret"])


def test_deep_nesting() -> None:
    deep = '{"entry":[' + "[" * 100_000 + "]" * 100_000 + "]}"
    assert pieces(deep.encode()) == []
    assert read(deep).ignored == 1
    nearly = '{"entry":[{"changes":' + "[" * 900 + "]" * 900 + "}]}"
    assert read(nearly).reports == []
    pieces(nearly.encode())


def test_a_small_body_is_one_piece() -> None:
    document = webhook(value(statuses=[status(id="wamid.é\ud800\ufffe")]))
    (piece,) = pieces(json.dumps(document).encode())
    assert piece.isascii()
    assert json.loads(piece) == document


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"entry":7}', b'{"entry":[', b"\xff"])
def test_a_document_without_entries_has_no_pieces(body: bytes) -> None:
    assert pieces(body) == []


def updates(documents: list[str], name: str) -> list[Json]:
    """Every element of every list of that name, in order."""
    return [
        item
        for document in documents
        for entry in json.loads(document)["entry"]
        for change in entry["changes"]
        for item in change["value"].get(name, [])
    ]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 400), max_size=3), min_size=1, max_size=4))
def test_pieces_hold_every_update_once(shape: list[list[int]]) -> None:
    number, entries = 0, []
    for changes in shape:
        values = []
        for count in changes:
            numbers = range(number, number + count)
            number += count
            values.append(
                value(
                    statuses=[status(id=f"s{at}", text="é" * 300) for at in numbers],
                    messages=[{"id": f"m{at}", "from": "221770000001"} for at in numbers],
                    contacts=[{"wa_id": str(at), "profile": {"name": "x" * 200}} for at in numbers],
                )
            )
        entries += webhook(*values)["entry"]
    found = pieces(json.dumps({"object": "whatsapp_business_account", "entry": entries}, ensure_ascii=False).encode())
    assert all(len(piece.encode()) < PIECE_BYTES for piece in found)
    assert [item["id"] for item in updates(found, "statuses")] == [f"s{at}" for at in range(number)]
    assert [item["id"] for item in updates(found, "messages")] == [f"m{at}" for at in range(number)]
    assert [item["wa_id"] for item in updates(found, "contacts")] == [str(at) for at in range(number)]
    assert sum(len(read(piece).reports) for piece in found) == number
    assert all(json.loads(piece)["object"] == "whatsapp_business_account" for piece in found)


def test_three_megabytes() -> None:
    body = json.dumps(webhook(value(statuses=[status(id=f"s{at}", x="y" * 2800) for at in range(1000)]))).encode()
    found = pieces(body)
    assert len(body) > 3_000_000
    assert sum(len(read(piece).reports) for piece in found) == 1000
    assert len(found) <= 2 * (len(body) // PIECE_BYTES + 1), "halves of halves, not crumbs"


def test_one_update_too_large_for_a_piece_is_left_out() -> None:
    body = json.dumps(webhook(value(statuses=[status(x="y" * PIECE_BYTES), status(id="small")]))).encode()
    (piece,) = pieces(body)
    assert len(read(piece).reports) == 1
