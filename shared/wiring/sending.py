"""What a send step works with, on AWS."""

from collections.abc import Mapping

from shared.aws.queues import SqsChannelQueue
from shared.domain.payload import Channel
from shared.usecases.admission import Admission
from shared.usecases.room import Room
from shared.usecases.send import SendDeps
from shared.wiring.stores import Stores


def send_deps(
    stores: Stores, queue_urls: Mapping[Channel, str], room: Room | None = None, fanout_queue_url: str | None = None
) -> SendDeps:
    """The same for both channels, but for WhatsApp's sessions, messaging limit and fallbacks."""
    return SendDeps(
        log=stores.log,
        lanes=stores.lanes,
        queue=SqsChannelQueue(stores.aws, queue_urls),
        admission=Admission(stores.holds, stores.people, stores.log, room),
        consequences=stores.consequences(fanout_queue_url),
        holding=stores.holding,
        settler=stores.settler(),
        telemetry=stores.telemetry,
        clock=stores.clock,
        draw=stores.aws.draw,
    )
