"""The adapters, in memory or on AWS, and the actions of the outside world: clients, workers, time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from shared.campaigns.control import Schedules
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.campaigns.stored_content import Plans, Uploads, UploadTarget
from shared.cards.failures import CardFailures
from shared.duplicates.already_sent import Turns
from shared.exports.export import Export
from shared.exports.ports import ExportFiles, ExportStore
from shared.holds.keeper import HoldStore
from shared.integrations.integration import Integrations, TokenStore
from shared.integrations.templates import TemplateBook
from shared.messages.payload import Channel
from shared.messages.ports import Log
from shared.messages.queue_message import QueueMessage
from shared.pacing.daily_limit import NumberStatuses, PeopleCount
from shared.pacing.members import MemberStore
from shared.pacing.rate_limit import RateLimits
from shared.policy.erasure import Traces
from shared.policy.ports import People, Sessions
from shared.recipients.contacts import Contacts
from shared.recipients.lookups import CallCounts
from shared.sending.channel import MediaCache
from shared.sending.enqueue_now import OffersMessages
from shared.sending.last_heard import LastHeardStore
from shared.statistics.sums import SumStore
from shared.storage.codec import encode
from shared.webhooks.ingress import Report, StatusQueue
from shared.webhooks.unmatched_receipts import UnknownSms
from shared.webhooks.updates import Receipts
from tests.fakes.account import FakeNumberStatuses, FakeTemplateBook
from tests.fakes.bulk import FakeDistributions, FakePlans, FakeSums, FakeTurns, FakeUploads
from tests.fakes.cards import FakeCardFailures
from tests.fakes.contacts import FakeContacts, FakeSessions
from tests.fakes.erasing import FakeSchedules, FakeTraces
from tests.fakes.exports import FakeExportFiles, FakeExports
from tests.fakes.holds import FakeHolds
from tests.fakes.log import FakeLog
from tests.fakes.numbers import FakeLastHeard, FakePeopleCount
from tests.fakes.orange import FakeTokenStore, FakeUnknownSms
from tests.fakes.rest import (
    FakeCallCounts,
    FakeChannelQueue,
    FakeIntegrations,
    FakeMedia,
    FakePeople,
    FakeRateLimits,
    FakeReceipts,
    FakeStatusQueue,
    FakeTaskQueue,
)
from tests.fakes.world import FakeClock, Points


class Hands(Protocol):
    """What happens from outside."""

    def put_file(self, target: UploadTarget, form: str, content: bytes) -> None:
        """A client uploads a file to its target."""
        ...

    def erase(self, object_key: str) -> None:
        """An object expires."""
        ...

    def queue_messages(self, channel: Channel, after: float = 0) -> Sequence[QueueMessage]:
        """Takes the queue messages that are visible on a channel's queue after so many seconds."""
        ...

    def tasks(self) -> Sequence[Task]:
        """Takes the tasks on the fan-out queue."""
        ...

    def reports(self) -> Sequence[Report]:
        """Takes the reports on the status queue."""
        ...

    def waiting(self) -> Mapping[str, tuple[str, str, str]]:
        """The schedules as the console shows them: distribution → local time, zone, organisation."""
        ...

    def holds(self, text: str) -> bool:
        """Whether any version of any object contains a text."""
        ...

    def file(self, export: Export) -> bytes | None:
        """The file of an export; None: there is none that is complete."""
        ...

    def leavings(self, export: Export) -> int:
        """How many uploads and objects an export has beside its file, old versions included."""
        ...


class RateLimitsAndMembers(RateLimits, MemberStore, Protocol):
    """Rate limits with their members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every port once. `another` is a second execution environment on the same stores."""

    clock: FakeClock
    log: Log
    distributions: Distributions
    sums: SumStore
    turns: Turns
    plans: Plans
    uploads: Uploads
    exports: ExportStore
    export_files: ExportFiles
    channels: OffersMessages
    task_queue: TaskQueue
    status_queue: StatusQueue
    rate_limits: RateLimitsAndMembers
    people: People
    call_counts: CallCounts
    receipts: Receipts
    media: MediaCache
    contacts: Contacts
    sessions: Sessions
    card_failures: CardFailures
    last_heard_store: LastHeardStore
    people_count: PeopleCount
    integrations: Integrations
    token_store: TokenStore
    unknown_sms: UnknownSms
    templates: TemplateBook
    number_statuses: NumberStatuses
    traces: Traces
    schedules: Schedules
    holds: HoldStore
    hands: Hands
    another: Callable[[], "World"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemoryHands:
    clock: FakeClock
    plans: FakePlans
    uploads: FakeUploads
    channel_queue: FakeChannelQueue
    task_queue: FakeTaskQueue
    status_queue: FakeStatusQueue
    schedules: FakeSchedules
    export_files: FakeExportFiles

    def put_file(self, target: UploadTarget, form: str, content: bytes) -> None:
        *_, organisation, upload_id = target.url.split("/")
        self.uploads.put(organisation, upload_id, form, content)

    def erase(self, object_key: str) -> None:
        del self.plans.objects[object_key]

    def queue_messages(self, channel: Channel, after: float = 0) -> Sequence[QueueMessage]:
        self.clock.pass_by(seconds=after)
        return [one for one in self.channel_queue.take(self.clock.now()) if one.channel is channel]

    def tasks(self) -> Sequence[Task]:
        taken, self.task_queue.tasks = self.task_queue.tasks, []
        return taken

    def reports(self) -> Sequence[Report]:
        taken, self.status_queue.reports = self.status_queue.reports, []
        return taken

    def waiting(self) -> Mapping[str, tuple[str, str, str]]:
        return {
            name: (at.astimezone(ZoneInfo(zone)).strftime("at(%Y-%m-%dT%H:%M:%S)"), zone, self.schedules.owners[name])
            for name, (at, zone) in self.schedules.kept.items()
        }

    def holds(self, text: str) -> bool:
        files = b"".join(content for versions in self.uploads.files.values() for _, content in versions)
        return text in encode(self.plans.objects).decode() or text.encode() in files

    def file(self, export: Export) -> bytes | None:
        return self.export_files.files.get((export.organisation, export.export_id))

    def leavings(self, export: Export) -> int:
        return len(self.export_files.uploads) + len(self.export_files.remainders)


def in_memory() -> World:
    """The fakes. They have no cache, so another environment is the same world."""
    clock, points = FakeClock(), Points()
    plans, uploads, export_files = FakePlans(points), FakeUploads(points), FakeExportFiles(points)
    channel_queue, task_queue, status_queue = FakeChannelQueue(points), FakeTaskQueue(points), FakeStatusQueue()
    contacts, sessions, unknown_sms = FakeContacts(points), FakeSessions(points), FakeUnknownSms(points)
    schedules, distributions = FakeSchedules(points), FakeDistributions(points)
    world = World(
        clock=clock,
        log=FakeLog(points),
        distributions=distributions,
        sums=FakeSums(points, distributions),
        turns=FakeTurns(points),
        plans=plans,
        uploads=uploads,
        exports=FakeExports(points),
        export_files=export_files,
        channels=channel_queue,
        task_queue=task_queue,
        status_queue=status_queue,
        rate_limits=FakeRateLimits(points, clock),
        people=FakePeople(points),
        call_counts=FakeCallCounts(points),
        receipts=FakeReceipts(points),
        media=FakeMedia(clock),
        contacts=contacts,
        sessions=sessions,
        card_failures=FakeCardFailures(points),
        last_heard_store=FakeLastHeard(points),
        people_count=FakePeopleCount(points),
        integrations=FakeIntegrations(),
        token_store=FakeTokenStore(points),
        unknown_sms=unknown_sms,
        traces=FakeTraces(sessions, contacts, unknown_sms, points),
        schedules=schedules,
        templates=FakeTemplateBook(),
        number_statuses=FakeNumberStatuses(points),
        holds=FakeHolds(points, distributions),
        hands=_MemoryHands(
            clock=clock,
            plans=plans,
            uploads=uploads,
            channel_queue=channel_queue,
            task_queue=task_queue,
            status_queue=status_queue,
            schedules=schedules,
            export_files=export_files,
        ),
        another=lambda: world,
    )
    return world
