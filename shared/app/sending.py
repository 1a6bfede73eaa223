"""What a send step works with, on AWS, and the desks of the providers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.app.providers import ProviderRow
from shared.app.stores import Stores
from shared.cards.failures import FailedCards
from shared.messages.payload import Channel, Provider
from shared.pacing.daily_limit import DailyLimits
from shared.pacing.waiting import QUEUED, TEST_SEND, Waits
from shared.policy.gate_check import Admission
from shared.providers.http import QUEUED_SENDS, TEST_SENDS, ClientParts, SendTimes, client
from shared.sending.channel import CardSource, ProviderDesk
from shared.sending.send import SendDeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All times of a send that have to fit one after the other into a function's time-out."""

    waits: Waits
    times: SendTimes


QUEUED_CHAIN = Chain(waits=QUEUED, times=QUEUED_SENDS)

TEST_CHAIN = Chain(waits=TEST_SEND, times=TEST_SENDS)


def provider_desks(
    stores: Stores,
    rows: Sequence[ProviderRow],
    urls: Mapping[Provider, str],
    chain: Chain,
    cards: CardSource | None = None,
) -> Mapping[Provider, ProviderDesk[Any, Any]]:
    """The desks of one channel's providers."""
    noted = (stores.receipts, stores.pulse, stores.telemetry, stores.clock)
    desks: dict[Provider, ProviderDesk[Any, Any]] = {}
    for row in rows:
        parts = client_parts(stores, urls.get(row.name, ""), chain.times, cards)
        desks[row.name] = ProviderDesk(sender=row.sender(parts), acknowledge=row.acknowledge(*noted))
    return desks


def client_parts(
    stores: Stores, url: str, times: SendTimes = QUEUED_SENDS, cards: CardSource | None = None
) -> ClientParts:
    """With an HTTP client of its own."""
    return ClientParts(
        http=client(),
        url=url,
        times=times,
        clock=stores.clock,
        media=stores.media,
        tokens=stores.token_shelf,
        cards=cards,
    )


def send_deps(
    stores: Stores,
    queue_urls: Mapping[Channel, str],
    limits: DailyLimits | None = None,
    waits: Waits = QUEUED,
    cards: CardSource | None = None,
) -> SendDeps:
    """The same for both channels, but for WhatsApp's sessions, messaging limit, fallbacks and cards."""
    return SendDeps(
        log=stores.log,
        lanes=stores.lanes,
        queue=stores.channel_queue(queue_urls),
        admission=Admission(stores.holds, stores.people, stores.log, limits),
        consequences=stores.consequences(),
        holding=stores.holding,
        members=stores.members,
        cards=FailedCards(stores.card_failures, cards),
        settler=stores.settler(),
        telemetry=stores.telemetry,
        clock=stores.clock,
        draw=stores.aws.draw,
        waits=waits,
    )
