"""What hears providers: the door that verifies and queues, and the receiver behind the queue."""

from collections.abc import Mapping
from typing import Protocol

from shared.app.container.keyed import Keyed, KeyedAdapters
from shared.app.receipts import RECEIPTS
from shared.integrations.ports import Integrations
from shared.integrations.templates import TemplateBook
from shared.messages.payload import Provider
from shared.messages.status_effects import Aftermath, AftermathDeps
from shared.messages.status_writer import Settler
from shared.providers.meta import webhook
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.inbound import InboundDeps, InboundDesk
from shared.webhooks.ingress import Doorkeeper, ReceiptDesk, Receiver, StatusQueue
from shared.webhooks.meta_documents import MetaDesk
from shared.webhooks.ports import Receipts
from shared.webhooks.unmatched_receipts import Strangers
from shared.webhooks.updates import ReceiptFormat


class WebhookAdapters(KeyedAdapters, Protocol):
    """`current_integrations`: for rare reads that must not be seconds old, even where `integrations` are."""

    @property
    def current_integrations(self) -> Integrations: ...
    @property
    def book(self) -> TemplateBook: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def status_queue(self) -> StatusQueue: ...


class Webhook[A: WebhookAdapters = WebhookAdapters](Keyed[A]):
    """The two halves of the webhook, and who listens. Each call makes a new one."""

    def door(self, formats: Mapping[Provider, ReceiptFormat] = RECEIPTS) -> Doorkeeper:
        """Where providers knock."""
        on = self.adapters
        return Doorkeeper(on.integrations, on.status_queue, webhook, formats, on.telemetry, on.clock)

    def receiver(self, formats: Mapping[Provider, ReceiptFormat] = RECEIPTS) -> Receiver:
        """A consumer of the status queue."""
        on, settler = self.adapters, self.settler()
        people, account = self.inbound_desk(), self.account_listener()
        meta = MetaDesk(
            whatsapp=webhook,
            statuses=self.aftermath(settler),
            news_listeners=(people, account),
            status_listeners=(people,),
        )
        strangers = Strangers(on.unknown_sms, self.hash_of)
        receipts = ReceiptDesk(formats=formats, receipts=on.receipts, strangers=strangers, queue=on.status_queue)
        return Receiver(settler, meta, receipts, on.telemetry, on.clock)

    def aftermath(self, settler: Settler) -> Aftermath:
        """What statuses mean beside their message's own row."""
        on = self.adapters
        return Aftermath(
            AftermathDeps(
                log=on.log,
                distributions=on.distributions,
                settler=settler,
                consequences=self.consequences(),
                holding=self.holding,
                pulse=on.pulse,
                clock=on.clock,
            )
        )

    def inbound_desk(self) -> InboundDesk:
        """Hears what people write, and answers a STOP."""
        on = self.adapters
        return InboundDesk(
            InboundDeps(
                identities=self.identities,
                integrations=on.integrations,
                log=on.log,
                plans=on.plans,
                straight=self.straight(),
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    def account_listener(self) -> AccountListener:
        """Hears what Meta does to templates, account and limits."""
        on = self.adapters
        return AccountListener(
            AccountDeps(
                integrations=on.current_integrations,
                book=on.book,
                reputations=on.reputations,
                holding=self.holding,
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )
