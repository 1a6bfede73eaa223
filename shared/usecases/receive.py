"""What providers tell us: verified at the edge, queued, and turned into moves of statuses. Repeated, late, early and
unknown reports are counted no-ops."""

import hmac
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from shared.domain.clock import Clock
from shared.domain.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.domain.receipt import OrangeReceipt, StatusReport
from shared.domain.references import is_organisation
from shared.usecases.ports import Integrations, Receipts, Telemetry
from shared.usecases.settle import Settler
from shared.usecases.statuses import move_of_orange, move_of_report

ROTATION = timedelta(hours=24)
"""How long a replaced app secret still signs (api.md, Settings > Integrations)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One document of a provider on its way through the status queue."""

    organisation: str
    provider: Literal["whatsapp", "orange"]
    document: str


class StatusQueue(Protocol):
    """The status queue: encrypted, because what providers tell holds numbers."""

    async def put(self, reports: Sequence[Report]) -> None:
        """Returns once all are on the queue."""
        ...


class StatusesRead(Protocol):
    """The statuses of a document of Meta's, and how many parts of it said nothing to us."""

    @property
    def reports(self) -> Sequence[StatusReport]:
        """In the document's order."""
        ...

    @property
    def ignored(self) -> int:
        """Parts that are no status, or an unknown one."""
        ...


class ReceiptsRead(Protocol):
    """The receipts of a document of Orange's."""

    @property
    def receipts(self) -> Sequence[OrangeReceipt]:
        """In the document's order."""
        ...

    @property
    def ignored(self) -> int:
        """Parts that are no receipt."""
        ...


class ReadsWhatsApp(Protocol):
    """What `shared.providers.whatsapp.webhook` does."""

    def verified(self, body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
        """Whether one of the secrets signed the body."""
        ...

    def pieces(self, body: bytes) -> list[str]:
        """The body in documents that fit the queue."""
        ...

    def reports(self, document: str, *, received: datetime | None = None) -> StatusesRead:
        """Its statuses; `received` stands in for a time stamp that cannot be read."""
        ...


class Doorkeeper:
    """Verifies and queues; answers within milliseconds, whatever the body holds."""

    def __init__(
        self,
        integrations: Integrations,
        queue: StatusQueue,
        whatsapp: ReadsWhatsApp,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._integrations = integrations
        self._queue = queue
        self._whatsapp = whatsapp
        self._telemetry = telemetry
        self._clock = clock

    async def subscription_is_ours(self, organisation: str, mode: str, token: str) -> bool:
        """Meta's verification of the URL: the token that the administrator pasted there."""
        if mode != "subscribe" or not is_organisation(organisation):
            return False
        integration = await self._integrations.whatsapp(organisation)
        if integration is None:
            return False
        if _same(token, integration.verify_token.value):
            return True
        fresh = await self._integrations.whatsapp(organisation, fresh=True)
        return fresh is not None and _same(token, fresh.verify_token.value)

    async def take_whatsapp(self, organisation: str, body: bytes, signature: str | None) -> bool:
        """Queue a body that Meta signed; False where nobody we know did."""
        if not await self._signed(organisation, body, signature):
            self._telemetry.trouble("webhook_refused", provider="whatsapp")
            return False
        pieces = self._whatsapp.pieces(body)
        if not pieces:
            self._telemetry.event("webhook_malformed", organisation=organisation, provider="whatsapp")
        await self._queue.put([Report(organisation=organisation, provider="whatsapp", document=one) for one in pieces])
        return True

    async def take_orange(self, organisation: str, token: str, body: bytes, source_ip: str) -> bool:
        """Queue a receipt that came to the secret path from an allowed address."""
        integration = await self._integrations.sms(organisation) if is_organisation(organisation) else None
        if integration is not None and not _may_report(integration, token, source_ip):
            integration = await self._integrations.sms(organisation, fresh=True)
        if not _may_report(integration, token, source_ip):
            self._telemetry.trouble("webhook_refused", provider="orange")
            return False
        try:
            document = body.decode()
        except UnicodeDecodeError:
            self._telemetry.event("webhook_malformed", organisation=organisation, provider="orange")
            return True
        await self._queue.put([Report(organisation=organisation, provider="orange", document=document)])
        return True

    async def _signed(self, organisation: str, body: bytes, signature: str | None) -> bool:
        for fresh in (False, True) if is_organisation(organisation) else ():
            integration = await self._integrations.whatsapp(organisation, fresh=fresh)
            if integration is not None and self._whatsapp.verified(body, signature, self._secrets(integration)):
                return True
        return False

    def _secrets(self, integration: WhatsAppIntegration) -> list[str]:
        secrets: list[Secret] = [integration.app_secret] if integration.app_secret else []
        previous = integration.previous_app_secret
        if previous is not None and self._clock.now() - previous.updated_at < ROTATION:
            secrets.append(previous)
        return [secret.value for secret in secrets]


class Receiver:
    """Works off the status queue."""

    def __init__(
        self,
        settler: Settler,
        receipts: Receipts,
        whatsapp: ReadsWhatsApp,
        orange: Callable[[str], ReceiptsRead],
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._settler = settler
        self._receipts = receipts
        self._whatsapp = whatsapp
        self._orange = orange
        self._telemetry = telemetry
        self._clock = clock

    async def receive(self, report: Report) -> None:
        """Move what the document speaks of, then write the counts."""
        ignored = await (self._meta(report) if report.provider == "whatsapp" else self._receipt(report))
        if ignored:
            self._telemetry.event("report_ignored", provider=report.provider, parts=ignored)
        await self._settler.flush()

    async def _meta(self, report: Report) -> int:
        read = self._whatsapp.reports(report.document, received=self._clock.now())
        unmatched = 0
        for status in read.reports:
            if status.attempt is None:
                unmatched += 1
                continue
            await self._settler.move(report.organisation, status.attempt.message_id, move_of_report(status))
        return read.ignored + unmatched

    async def _receipt(self, report: Report) -> int:
        read = self._orange(report.document)
        for receipt in read.receipts:
            message_id = await self._receipts.park(report.organisation, receipt.receipt_id, receipt.delivery_status)
            move = move_of_orange(receipt.delivery_status, self._clock.now())
            if message_id is None or move is None:
                self._telemetry.event(
                    "receipt_parked", delivery_status=receipt.delivery_status[:40], named=message_id is not None
                )
                continue
            await self._settler.move(report.organisation, message_id, move)
        return read.ignored


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


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
