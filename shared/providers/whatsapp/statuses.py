"""Reads one status of a message that we sent (reference/whatsapp.md, section 5.2)."""

from datetime import datetime

from shared.domain.json import JsonObject
from shared.domain.masking import blank_number_in_wamid
from shared.domain.receipt import Attempt, StatusReport
from shared.domain.status import Status
from shared.providers.answers import identifier, objects, text
from shared.providers.whatsapp.errors import error_from_code
from shared.providers.whatsapp.inbound import recipient
from shared.providers.whatsapp.instants import instant

STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "failed": Status.FAILED,
}


def report(status: JsonObject, received: datetime | None, phone_number_id: str = "") -> StatusReport | None:
    """One status; None where it names no message, no status we know, or no instant. `phone_number_id`: as the value
    around it says."""
    moved = STATUSES.get(text(status.get("status")))
    key = text(status.get("biz_opaque_callback_data"))
    attempt = Attempt.read(key)
    message = identifier(status.get("id"))
    at = instant(status.get("timestamp")) or received
    if moved is None or at is None or not (attempt or message):
        return None
    errors = objects(status.get("errors"))
    return StatusReport(
        attempt=attempt,
        provider_message_id=blank_number_in_wamid(message) if message else "",
        status=moved,
        at=at,
        error=error_from_code(errors[0].get("code") if errors else None) if moved is Status.FAILED else None,
        other_key=bool(key) and attempt is None,
        phone_number_id=phone_number_id,
        recipient=recipient(status),
    )
