"""Webhook ingress: verifies providers' webhooks, queues them, and turns them into moves of statuses.

Repeated, late, early and unknown reports change nothing and are counted.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.ids import is_organisation
from shared.base.instants import Clock
from shared.integrations.integration import Integrations, Secret, SmsIntegration, WhatsAppIntegration
from shared.messages.message import Status
from shared.messages.payload import META, Provider
from shared.messages.status_writer import StatusWriter, move_of_receipt
from shared.webhooks.meta_documents import MetaAdapter, MetaDocuments, ReadsWhatsApp
from shared.webhooks.unmatched_receipts import LOOK_AGAIN_AFTER, MOST_LOOKS, UnmatchedReceipts
from shared.webhooks.updates import Receipt, ReceiptFormat, Receipts

_SOON = timedelta(minutes=1)
"""By then a sender has stored the answer to its call, unless it has died."""

ROTATION = timedelta(hours=24)
"""How long a replaced app secret is still accepted (api.md, Settings > Integrations)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One document of a provider on the status queue."""

    organisation: str
    provider: Provider
    document: str = field(repr=False)
    looks: int = 0
    """How many times its receipts or statuses were checked without a match."""
    received_at: datetime | None = None
    """When it was first checked."""


class StatusQueue(Protocol):
    """The status queue. It is encrypted, because webhooks contain phone numbers."""

    async def put(self, reports: Sequence[Report], *, delay: int = 0) -> None:
        """Put the reports on the queue, for delivery after `delay` seconds (at most 900). Returns when all are on
        it.
        """
        ...


class WebhookIngress:
    """Verifies webhooks and queues them. It answers within milliseconds, also if the body is malformed."""

    def __init__(
        self,
        integrations: Integrations,
        queue: StatusQueue,
        whatsapp: ReadsWhatsApp,
        receipts: Mapping[Provider, ReceiptFormat],
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._integrations = integrations
        self._queue = queue
        self._whatsapp = whatsapp
        self._receipts = receipts
        self._telemetry = telemetry
        self._clock = clock

    async def subscription_is_ours(self, organisation: str, mode: str, token: str) -> bool:
        """Whether Meta's verification request has the token that the administrator entered at Meta."""
        if mode != "subscribe" or not is_organisation(organisation):
            return False
        integration = await self._integrations.whatsapp(organisation)
        if integration is None:
            return False
        if _same(token, integration.verify_token.value):
            return True
        uncached = await self._integrations.whatsapp(organisation, uncached=True)
        return uncached is not None and _same(token, uncached.verify_token.value)

    async def take_whatsapp(self, organisation: str, body: bytes, signature: str | None) -> bool:
        """Queue a body that is signed with the organisation's app secret. False if the signature is wrong."""
        signed = await self._signed(organisation, body, signature)
        if not signed:
            self._refuse(META, organisation if signed is not None else None)
            return False
        await self._enqueue(organisation, META, self._whatsapp.pieces(body))
        return True

    async def take_receipts(
        self, provider: Provider, organisation: str, token: str, body: bytes, source_ip: str
    ) -> bool:
        """Queue receipts that came to the secret URL from an allowed address.

        The token belongs to the organisation, not to the provider: after a change of provider, late receipts of the
        previous one are still accepted.
        """
        integration = await self._integrations.sms(organisation) if is_organisation(organisation) else None
        if integration is not None and not _may_report(integration, token, source_ip):
            integration = await self._integrations.sms(organisation, uncached=True)
        if not _may_report(integration, token, source_ip):
            self._refuse(provider, organisation if integration is not None else None)
            return False
        await self._enqueue(organisation, provider, self._receipts[provider].pieces(body))
        return True

    def _refuse(self, provider: Provider, known: str | None) -> None:
        """Log the refusal. `known`: the organisation if it has such an integration; an unknown name must not be
        logged.
        """
        self._telemetry.warning_event("webhook_refused", organisation=known, provider=provider)

    async def _enqueue(self, organisation: str, provider: Provider, pieces: Sequence[str]) -> None:
        """Queue the parts. A body without any is counted and accepted too, because a refused one would come again."""
        if not pieces:
            self._telemetry.event("webhook_malformed", organisation=organisation, provider=provider)
        await self._queue.put([Report(organisation=organisation, provider=provider, document=one) for one in pieces])

    async def _signed(self, organisation: str, body: bytes, signature: str | None) -> bool | None:
        """Whether the body is signed; None if the organisation does not exist or has no WhatsApp integration."""
        known = None
        for uncached in (False, True) if is_organisation(organisation) else ():
            integration = await self._integrations.whatsapp(organisation, uncached=uncached)
            if integration is not None and self._whatsapp.verified(body, signature, self._secrets(integration)):
                return True
            known = known if integration is None else False
        return known

    def _secrets(self, integration: WhatsAppIntegration) -> list[str]:
        secrets: list[Secret] = [integration.app_secret] if integration.app_secret else []
        previous = integration.previous_app_secret
        if previous is not None and self._clock.now() - previous.updated_at < ROTATION:
            secrets.append(previous)
        return [secret.value for secret in secrets]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAdapter:
    """What `Receiver` needs for receipts. `queue` brings an unmatched receipt back."""

    formats: Mapping[Provider, ReceiptFormat]
    receipts: Receipts
    unmatched_receipts: UnmatchedReceipts
    queue: StatusQueue


class Receiver:
    """Handles the documents of the status queue."""

    def __init__(
        self,
        status_writer: StatusWriter,
        meta: MetaAdapter,
        receipts: ReceiptAdapter,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._status_writer = status_writer
        self._meta = MetaDocuments(meta, telemetry)
        self._receipts = receipts
        self._telemetry = telemetry
        self._clock = clock

    async def receive_all(self, reports: Sequence[Report]) -> list[bool]:
        """Handle a batch of documents, then write the counts and the numbers' last contacts once.

        Returns one value per document. False means that it must be delivered again, because our own side failed.
        """
        done = await asyncio.gather(*(self._handled(report) for report in reports))
        await self._status_writer.flush()
        await self._meta.flush()
        return done

    async def _handled(self, report: Report) -> bool:
        try:
            receipts = self._receipts.formats.get(report.provider)
            ignored = await self._document(report) if receipts is None else await self._receipt(report, receipts)
        except Exception as error:
            self._telemetry.warning_event(
                "report_failed",
                organisation=report.organisation,
                provider=report.provider,
                error=type(error).__name__,
            )
            return False
        if ignored:
            self._telemetry.event("report_ignored", provider=report.provider, parts=ignored)
        return True

    async def _document(self, report: Report) -> int:
        """Handle a Meta document. Statuses without a matching message are queued again alone, because a status may come
        before the answer to its send.
        """
        received_at = report.received_at or self._clock.now()
        read = await self._meta.take(report.organisation, report.document, received_at)
        if read.unmatched and report.looks < MOST_LOOKS:
            document = self._meta.only(report.document, read.unmatched)
            await self._look_again(replace(report, document=document, received_at=received_at), soon=report.looks == 0)
        elif read.unmatched:
            for status in read.unmatched:
                self._telemetry.event("status_for_unknown_message", status=status.status)
        return read.ignored

    async def _look_again(self, report: Report, *, soon: bool = False) -> None:
        """Queue the document again for later. `soon`: the most likely reason is a sender that is about to store its
        answer.
        """
        delay = _SOON if soon else LOOK_AGAIN_AFTER
        await self._receipts.queue.put([replace(report, looks=report.looks + 1)], delay=int(delay.total_seconds()))

    async def _receipt(self, report: Report, reported: ReceiptFormat) -> int:
        read = reported.read(report.document)
        received_at = report.received_at or self._clock.now()
        look_again = False
        for receipt in read.receipts:
            place = (report.organisation, report.provider, receipt.receipt_id)
            message_id = await self._receipts.receipts.park(*place, receipt.delivery_status)
            status = reported.statuses.get(receipt.delivery_status)
            if message_id is None and status is Status.DELIVERED and receipt.address is not None:
                message_id = await self._lifted(report, receipt, received_at)
                look_again = look_again or message_id is None
            move = move_of_receipt(status, self._clock.now())
            if message_id is None or move is None:
                self._telemetry.event(
                    "receipt_parked", delivery_status=receipt.delivery_status[:40], named=message_id is not None
                )
                continue
            await self._status_writer.move(report.organisation, message_id, move)
        if look_again and report.looks < MOST_LOOKS:
            await self._look_again(replace(report, received_at=received_at))
        return read.ignored

    async def _lifted(self, report: Report, receipt: Receipt, received_at: datetime) -> str | None:
        """The message with an unknown outcome that the receipt belongs to. Its receipt ID is stored, so that later
        receipts match at once.
        """
        if report.looks == 0:
            return None
        place = (report.organisation, report.provider)
        message_id = await self._receipts.unmatched_receipts.message_of(*place, receipt, received_at)
        if message_id is not None:
            await self._receipts.receipts.name(*place, receipt.receipt_id, message_id)
            self._telemetry.event("unknown_outcome_lifted", message_id=message_id, looks=report.looks)
        return message_id


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _may_report(integration: SmsIntegration | None, token: str, source_ip: str) -> bool:
    if integration is None or not _same(token, integration.receipt_token.value):
        return False
    if not integration.receipt_addresses:
        return True
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in integration.receipt_addresses)
