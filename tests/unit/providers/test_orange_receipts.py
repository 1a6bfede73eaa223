import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.message import Status
from shared.providers.orange.receipts import STATUSES, receipts
from shared.webhooks.updates import Receipt


def callback(status: object, **fields: object) -> dict[str, Any]:
    info = {"address": "tel:+221770000001", "deliveryStatus": status, **fields}
    return {"deliveryInfoNotification": {"callbackData": "4f5a-1", "deliveryInfo": info}}


@pytest.mark.parametrize(
    ("reported", "status"),
    [
        ("DeliveredToTerminal", Status.DELIVERED),
        ("DeliveredToNetwork", Status.SENT),
        ("MessageWaiting", Status.SENT),
        ("DeliveryImpossible", Status.FAILED),
        ("DeliveryUncertain", None),
        ("DeliveredToTheMoon", None),
        ("delivered to terminal", None),
    ],
)
def test_statuses(reported: str, status: Status | None) -> None:
    expected = Receipt(receipt_id="4f5a-1", delivery_status=reported, address="+221770000001")
    for body in (json.dumps(callback(reported)), json.dumps(callback(reported)).encode()):
        read = receipts(body)
        assert (read.receipts, read.ignored) == ([expected], 0)
        assert STATUSES.get(read.receipts[0].delivery_status) is status


@pytest.mark.parametrize(
    ("address", "e164"),
    [
        ("tel:+221770000001", "+221770000001"),
        ("tel:221770000001", "+221770000001"),
        ("+221770000001", "+221770000001"),
        ("221770000001", "+221770000001"),
        ("tel:+0770000001", None),
        ("tel:+22177", None),
        ("sip:a@example.org", None),
        ("tel:+٢٢١٧٧٠٠٠٠٠٠١", None),
        (221770000001, None),
        (None, None),
        ([], None),
    ],
)
def test_the_number_in_a_receipt(address: object, e164: str | None) -> None:
    [receipt] = receipts(json.dumps(callback("DeliveredToTerminal", address=address))).receipts
    assert receipt.address == e164
    assert "770000001" not in repr(receipt)


@pytest.mark.parametrize("number", ["+221770000001", "+221 77 000 00 01", "+77-000.00/01", "+(221) 770000001"])
def test_an_unknown_status_is_kept_without_possible_numbers(number: str) -> None:
    [receipt] = receipts(json.dumps(callback(f"Held {number}: 12"))).receipts
    assert receipt.delivery_status.replace("(", "") == "Held +#: 12"


def test_shapes() -> None:
    document = callback("x")
    infos = [{"deliveryStatus": "MessageWaiting"}, {"delivery": {"deliveryStatus": "DeliveredToTerminal"}}, 7, {}]
    document["deliveryInfoNotification"]["deliveryInfo"] = infos
    read = receipts(json.dumps(document))
    assert [STATUSES[receipt.delivery_status] for receipt in read.receipts] == [Status.SENT, Status.DELIVERED]
    assert read.ignored == 1
    assert len(receipts(json.dumps([callback("MessageWaiting")] * 2)).receipts) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b"7", b"\xff", b"[" * 100_000,
        b'{"deliveryInfoNotification":[]}',
        b'{"deliveryInfoNotification":{"deliveryInfo":{"deliveryStatus":"DeliveredToTerminal"}}}',
        b'{"deliveryInfoNotification":{"callbackData":7,"deliveryInfo":{"deliveryStatus":"DeliveredToTerminal"}}}',
        b'{"deliveryInfoNotification":{"callbackData":"\\ud800","deliveryInfo":{"deliveryStatus":"MessageWaiting"}}}',
        b'{"deliveryInfoNotification":{"callbackData":"x","deliveryInfo":{"deliveryStatus":null}}}',
    ],
    ids=lambda body: body[:40],
)  # fmt: skip
def test_receipts_without_a_reference_are_counted(body: bytes) -> None:
    read = receipts(body)
    assert (read.receipts, read.ignored) == ([], 1)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, JSON, JSON, st.binary())
def test_reading_a_receipt_never_raises(anything: Any, inner: Any, status: Any, raw: bytes) -> None:
    notification = {"callbackData": inner, "deliveryInfo": [anything, {"deliveryStatus": status, "delivery": inner}]}
    for document in (anything, {"deliveryInfoNotification": notification}, callback(status, delivery=inner)):
        receipts(json.dumps(document))
    receipts(raw)
