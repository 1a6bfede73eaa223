"""Makes, plans and releases distributions, and does the tasks of the fan-out queue."""

from functools import cached_property
from typing import Protocol

from shared.app.container.reading import Reading, ReadingAdapters
from shared.app.exports import ExportRows, SheetWording
from shared.app.fanout import Fanout, FanoutDeps
from shared.campaigns.cancel import Sweep, SweepDeps
from shared.campaigns.create import Planning, PlanningDeps
from shared.campaigns.planning import Planner
from shared.campaigns.recount import Tallies
from shared.campaigns.release import Release, ReleaseDeps, StuckMessages
from shared.campaigns.retry import FailedRows
from shared.cards.probe import CardProbe
from shared.duplicates.already_sent import AlreadySent, Turns
from shared.exports.exporting import ExportWork, ExportWorkDeps
from shared.holds.release import AccountHealth, HoldWork, HoldWorkDeps, ReadCauses
from shared.integrations.templates import TemplateGuard
from shared.messages.agenda import Agenda, AgendaDeps
from shared.messages.dead_letters import DeadLetters
from shared.messages.fallbacks import Fallbacks
from shared.messages.status_writer import StatusWriter
from shared.pacing.members import Proofs
from shared.policy.erasure import Eraser, EraserDeps, Traces
from shared.policy.gate_check import GateCheck
from shared.recipients.files.workbook import Workbooks
from shared.sending.channel import CardSource
from shared.sending.enqueue_now import EndingQueue
from shared.sending.resolve_unknown import Unknowns
from shared.webhooks.unmatched_receipts import NoteUnknown


class FanoutAdapters(ReadingAdapters, Protocol):
    """What the fan-out needs in addition to reading."""

    @property
    def turns(self) -> Turns:
        """The order of a campaign's distributions."""

    @property
    def traces(self) -> Traces:
        """Other records about a person."""

    @property
    def workbooks(self) -> Workbooks:
        """Reads uploaded workbooks."""

    @property
    def card_source(self) -> CardSource:
        """Fetches card pictures."""


class FanningOut[A: FanoutAdapters = FanoutAdapters](Reading[A]):
    """Planning, ticks and tasks."""

    @cached_property
    def planning(self) -> Planning:
        """Makes and plans distributions."""
        on = self.adapters
        probe = CardProbe(on.card_source)
        return Planning(
            PlanningDeps(
                distributions=on.distributions,
                plans=on.plans,
                failed_rows=FailedRows(distributions=on.distributions, plans=on.plans, log=on.log),
                uploads=on.uploads,
                workbooks=on.workbooks,
                already=self.already,
                planner=Planner(self.eligibility, on.plans, on.rate_limits, self.balances, self.number, probe),
                settings=self.setting_reader,
                tasks=on.tasks,
                schedules=on.schedules,
                telemetry=on.telemetry,
                clock=on.clock,
                draw=on.draw,
            )
        )

    @cached_property
    def fanout(self) -> Fanout:
        """Ticks and tasks."""
        on = self.adapters
        return Fanout(
            FanoutDeps(
                distributions=on.distributions,
                log=on.log,
                tasks=on.tasks,
                planning=self.planning,
                release=self.release,
                holds=on.holds,
                hold_work=self.hold_work,
                sweep=self.sweep,
                tallies=self.tallies,
                agenda=self.agenda,
                eraser=self.eraser,
                redrives=self.redrives,
                sums=on.sums,
                summing=self.summing,
                account_health=self.account_health,
                exports=on.export_store,
                export_work=self.export_work,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def export_work(self) -> ExportWork:
        """Makes the files of exports."""
        on = self.adapters
        return ExportWork(
            ExportWorkDeps(
                store=on.export_store,
                files=on.export_files,
                rows=ExportRows(browse=self.browse, distributions=on.distributions, clock=on.clock),
                wording=SheetWording(),
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def account_health(self) -> AccountHealth:
        """Asks Meta again whether an account may send."""
        on = self.adapters
        return AccountHealth(on.integrations, self.number, self.holding, on.tasks, on.telemetry)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Takes dead queue messages."""
        on, status_writer = self.adapters, self.status_writer()
        return DeadLetters(on.log, self._unknowns(status_writer), status_writer, on.telemetry, on.clock)

    @cached_property
    def already(self) -> AlreadySent:
        """One object for planning and release: it caches the indexes that it has read."""
        on = self.adapters
        return AlreadySent(on.distributions, on.turns, on.plans, on.log, self.status_writer(), on.clock)

    @cached_property
    def release(self) -> Release:
        """Puts a distribution's messages on their queue, as fast as the rate limit allows."""
        on, status_writer = self.adapters, self.status_writer()
        return Release(
            ReleaseDeps(
                distributions=on.distributions,
                holds=on.holds,
                holding=self.holding,
                plans=on.plans,
                already=self.already,
                log=on.log,
                rate_limits=on.rate_limits,
                queue=self._queue,
                integrations=on.integrations,
                guard=TemplateGuard(on.book),
                tallies=self.tallies,
                stuck_messages=StuckMessages(on.log, self.tallies, status_writer, self._unknowns(status_writer)),
                limits=self.daily_limits,
                proofs=Proofs(self.balances, self.number, on.telemetry, on.clock),
                status_writer=status_writer,
                schedules=on.schedules,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def hold_work(self) -> HoldWork:
        """Ends holds whose cause is gone."""
        on, limits = self.adapters, self.daily_limits
        causes = ReadCauses(self.balances, self.number, self.templates, limits, on.telemetry, on.clock)
        return HoldWork(
            HoldWorkDeps(
                holding=self.holding,
                causes=causes,
                distributions=on.distributions,
                log=on.log,
                plans=on.plans,
                integrations=on.integrations,
                rate_limits=on.rate_limits,
                queue=self._queue,
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def sweep(self) -> Sweep:
        """Ends what a cancelled distribution has not sent."""
        on, status_writer = self.adapters, self.status_writer()
        return Sweep(
            SweepDeps(
                log=on.log,
                distributions=on.distributions,
                plans=on.plans,
                tallies=self.tallies,
                status_writer=status_writer,
                unknowns=self._unknowns(status_writer),
                clock=on.clock,
            )
        )

    @cached_property
    def agenda(self) -> Agenda:
        """Does what is due for messages on the agenda."""
        on = self.adapters
        return Agenda(
            AgendaDeps(
                log=on.log,
                holds=on.holds,
                plans=on.plans,
                integrations=on.integrations,
                gate_check=GateCheck(on.holds, on.people, on.log),
                fallbacks=Fallbacks(log=on.log, plans=on.plans, integrations=on.integrations, telemetry=on.telemetry),
                rate_limits=on.rate_limits,
                queue=self._queue,
                status_writer=self.status_writer(),
                note_unknown=self._note_unknown,
                last_heard_store=on.last_heard_store,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def eraser(self) -> Eraser:
        """Erases a person."""
        on = self.adapters
        return Eraser(
            EraserDeps(
                log=on.log,
                plans=on.plans,
                uploads=on.uploads,
                distributions=on.distributions,
                same=self.identities,
                traces=on.traces,
                status_writer=self.status_writer(),
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def tallies(self) -> Tallies:
        """Counts a distribution's messages."""
        on = self.adapters
        return Tallies(on.distributions, on.plans, on.log, on.clock)

    @cached_property
    def _queue(self) -> EndingQueue:
        return self.ending_queue()

    @cached_property
    def _note_unknown(self) -> NoteUnknown:
        return NoteUnknown(unknown=self.adapters.unknown_sms)

    def _unknowns(self, status_writer: StatusWriter) -> Unknowns:
        return Unknowns(self.adapters.log, status_writer, self._note_unknown)
