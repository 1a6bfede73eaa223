"""Orange's delivery receipts. They have no signature and no time stamp (reference/orange_sms.md §4)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from local.simulators.callbacks import Callback, Outbox, Postman, play
from local.simulators.outcomes import Outcome, Shape
from local.simulators.registrations import SmsRegistration
from local.simulators.stage import Stage

WAITS = (1, 5)
"""Seconds before each repetition. Orange documents none."""
_EARLY = {"DeliveredToNetwork", "MessageWaiting"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One delivery status of one message."""

    registration: SmsRegistration
    resource_id: str
    number: str
    status: str
    shape: Shape


class OrangeHooks:
    """Posts one receipt per call, as documented."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._postman = Postman(stage, WAITS)
        self._outbox = Outbox(stage.background, self._post, lambda: 1)

    async def follow(self, outcome: Outcome, registration: SmsRegistration, resource_id: str, number: str) -> None:
        """Report what happens to a message, each receipt when it is due.

        With `early`, it posts all receipts once and then returns.
        """
        if not self._stage.settings.receipts:
            return

        def receipt(status: str) -> Receipt:
            return Receipt(
                registration=registration,
                resource_id=resource_id,
                number=number,
                status=status,
                shape=outcome.shape,
            )

        if outcome.early:
            for status in outcome.receipts:
                await self._post([receipt(status)])
            return
        self._stage.background.start(
            play(self._stage, outcome, self._natural, lambda status: self._outbox.put(receipt(status)))
        )

    def clear(self) -> None:
        self._outbox.clear()

    def _natural(self, status: str) -> float:
        settings = self._stage.settings
        return settings.sent_delay if status in _EARLY else settings.delivered_delay

    async def _post(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            registration = receipt.registration
            body = {"deliveryInfoNotification": {"callbackData": receipt.resource_id, "deliveryInfo": _info(receipt)}}
            path = f"/webhooks/orange/{registration.organisation}/{registration.receipt_token}"
            await self._postman.post(
                Callback(
                    provider="orange",
                    organisation=registration.organisation,
                    url=self._stage.settings.api_url + path,
                    body=json.dumps(body).encode(),
                    headers={"Content-Type": "application/json"},
                    provider_message_ids=(receipt.resource_id,),
                    statuses=(receipt.status,),
                )
            )


def _info(receipt: Receipt) -> object:
    """Return `deliveryInfo` as documented, or in a shape that others have reported."""
    address, status = f"tel:{receipt.number}", receipt.status
    match receipt.shape:
        case Shape.DOCUMENTED:
            return {"address": address, "deliveryStatus": status}
        case Shape.LIST:
            return [{"address": address, "deliveryStatus": status}]
        case Shape.NESTED:
            return {"address": address, "delivery": {"deliveryStatus": status}}
        case Shape.BARE:
            return {"deliveryStatus": status}
