"""The webhook: the ingress verifies and queues, the receiver handles the queue."""

from collections.abc import Mapping
from typing import Protocol

from shared.app.container.keyed import Keyed, KeyedAdapters
from shared.app.receipts import RECEIPTS
from shared.integrations.integration import Integrations
from shared.integrations.templates import TemplateBook
from shared.messages.payload import Provider
from shared.messages.status_writer import StatusEffects, StatusEffectsDeps, StatusWriter
from shared.providers.meta import webhook
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.inbound import InboundAdapter, InboundDeps
from shared.webhooks.ingress import ReceiptAdapter, Receiver, StatusQueue, WebhookIngress
from shared.webhooks.meta_documents import MetaAdapter
from shared.webhooks.unmatched_receipts import UnmatchedReceipts
from shared.webhooks.updates import ReceiptFormat, Receipts


class WebhookAdapters(KeyedAdapters, Protocol):
    """What the webhook needs in addition to hashes."""

    @property
    def current_integrations(self) -> Integrations:
        """The settings, never seconds old, even if `integrations` are."""

    @property
    def book(self) -> TemplateBook:
        """The stored states of Meta's templates."""

    @property
    def receipts(self) -> Receipts:
        """Which message a receipt's ID belongs to."""

    @property
    def status_queue(self) -> StatusQueue:
        """The queue of what providers report."""


class Webhook[A: WebhookAdapters = WebhookAdapters](Keyed[A]):
    """The two halves of the webhook and their listeners. Each call makes a new object."""

    def ingress(self, formats: Mapping[Provider, ReceiptFormat] = RECEIPTS) -> WebhookIngress:
        """Verifies what providers send, and queues it."""
        on = self.adapters
        return WebhookIngress(on.integrations, on.status_queue, webhook, formats, on.telemetry, on.clock)

    def receiver(self, formats: Mapping[Provider, ReceiptFormat] = RECEIPTS) -> Receiver:
        """A consumer of the status queue."""
        on, status_writer = self.adapters, self.status_writer()
        people, account = self.inbound_adapter(), self.account_listener()
        meta = MetaAdapter(
            whatsapp=webhook,
            statuses=self.status_effects(status_writer),
            webhook_event_listeners=(people, account),
            status_listeners=(people,),
        )
        unmatched_receipts = UnmatchedReceipts(on.unknown_sms, self.hash_of)
        receipts = ReceiptAdapter(
            formats=formats, receipts=on.receipts, unmatched_receipts=unmatched_receipts, queue=on.status_queue
        )
        return Receiver(status_writer, meta, receipts, on.telemetry, on.clock)

    def status_effects(self, status_writer: StatusWriter) -> StatusEffects:
        """What statuses change besides their own message."""
        on = self.adapters
        return StatusEffects(
            StatusEffectsDeps(
                log=on.log,
                distributions=on.distributions,
                status_writer=status_writer,
                refusal_effects=self.refusal_effects(),
                holding=self.holding,
                last_heard_store=on.last_heard_store,
                clock=on.clock,
            )
        )

    def inbound_adapter(self) -> InboundAdapter:
        """Reads what people write, and answers a STOP."""
        on = self.adapters
        return InboundAdapter(
            InboundDeps(
                identities=self.identities,
                integrations=on.integrations,
                log=on.log,
                plans=on.plans,
                enqueue_now=self.enqueue_now(),
                status_writer=self.status_writer(),
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    def account_listener(self) -> AccountListener:
        """Takes Meta's updates of templates, account and limits."""
        on = self.adapters
        return AccountListener(
            AccountDeps(
                integrations=on.current_integrations,
                book=on.book,
                number_statuses=on.number_statuses,
                holding=self.holding,
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )
