"""Some hundred seeds run without a violation. A seed repeats exactly, and the checker finds deliberate defects."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache, cached_property, partial
from types import SimpleNamespace
from typing import Any, override

import pytest

from shared.campaigns.distribution import Distribution
from shared.cards.failures import FAIL, CardDecision
from shared.duplicates.already_sent import AlreadySent
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.message import Message
from shared.messages.payload import Channel
from shared.messages.ports import Claim, ClaimAnswer
from shared.policy.consent import Consent, ConsentRecord, ConsentState
from shared.policy.eligibility import Accepted, Eligibility
from shared.recipients.number_key import NumberKey
from shared.sending.send import SendStep
from shared.sending.unknown_outcome import LastHeard
from shared.webhooks.account_updates import AccountListener
from shared.webhooks.updates import WebhookEvent
from tests.fakes.office import Container
from tests.simulation.checker import Violation
from tests.simulation.faults import FAULTS, roll
from tests.simulation.office import SimulatedOffice
from tests.simulation.report import Summary, failures, seed_again, summary, summary_of, table
from tests.simulation.run import run, run_with
from tests.simulation.world import World

SEEDS = (*range(60), 63, 71, 292, 345)
"""Together they have every kind of fault; the last four have the rare ones. `.ci/run` runs 500 (`make chaos`)."""


@cache
def runs() -> tuple[Summary, ...]:
    """The summaries of all seeds."""
    return tuple(map(summary_of, SEEDS))


def test_no_seed_has_a_violation() -> None:
    assert not failures(runs()), f"\n{failures(runs())}"


def test_every_kind_of_fault_occurs() -> None:
    assert len(FAULTS) >= 20
    assert {fault.name for fault in FAULTS} == {name for one in runs() for name in one.faults}


def test_the_same_seed_gives_the_same_run() -> None:
    first, second, other = run(21), run(21), run(22)
    assert (first.trace, first.injected, first.evidence) == (second.trace, second.injected, second.evidence)
    assert first.trace != other.trace


@pytest.mark.enable_socket
def test_the_run_is_the_same_in_another_process_too() -> None:
    """Also with other string hashes. The test uses the command that a failed seed prints."""
    command = [sys.executable, *seed_again(23).split()[1:]]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    reported = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert f"seed 23: trace {run(23).trace}" in reported.stdout


def test_the_report_names_each_failed_seed_and_its_command() -> None:
    fine = Summary(seed=1, times={"sqs_throttles": 3}, messages=10, wrongs=())
    bad = Summary(
        seed=7,
        times={"sqs_throttles": 1, "api_killed": 2, "sqs_takes_half": 0},
        messages=12,
        wrongs=(Violation("doubled", "CARD-1: two"),),
    )
    lines = {line.split()[0]: line.split()[1:] for line in table([fine, bad]).splitlines()}
    assert lines["fault"] == ["times", "runs", "messages", "lost", "doubled", "early", "result"]
    assert lines["sqs_throttles"] == ["4", "2", "22", "0", "1", "0", "BROKEN"]
    assert lines["api_killed"] == ["2", "1", "12", "0", "1", "0", "BROKEN"]
    assert lines["sqs_takes_half"] == ["0", "0", "0", "0", "0", "0", "never", "occurred"]
    assert "python -m tests.simulation --seeds 1 --from 7 --steps" in failures([fine, bad])
    assert failures([fine]) == ""


def _the_tick_breaks(world: World) -> None:
    async def broken() -> None:
        raise KeyError("an unexpected error")

    world.tick = broken  # type: ignore[method-assign]


def _every_task_waits_for_ever(world: World) -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    world.tick = waits  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (_the_tick_breaks, "KeyError: 'an unexpected error' (tests/simulation/"),
        (_every_task_waits_for_ever, "none of them sleeps"),
    ],
)
def test_a_run_that_raises_is_a_failed_seed(ends: Callable[[World], None], words: str) -> None:
    """A failed run needs its own steps and its command most."""
    outcome = run_with(roll(3), 3, prepare=ends, spoken=True)
    assert [wrong.kind for wrong in outcome.wrongs] == ["wrong"]
    assert words in outcome.wrongs[0].text
    assert outcome.steps
    assert "--seeds 1 --from 3 --steps" in failures([summary(outcome)])


# ------------------------------------------------------------------------------------------- a product with a defect


def _every_claim_is_won(world: World) -> None:
    claim = world.office.log.claim

    async def always(organisation: str, message_id: str, **how: Any) -> Claim:
        found = await claim(organisation, message_id, **how)
        return replace(found, answer=ClaimAnswer.WON) if found.message is not None else found

    world.office.log.claim = always  # type: ignore[method-assign]  # the guard that is taken out


def _no_revocation_is_known(world: World) -> None:
    async def nothing(*_: object) -> Mapping[str, ConsentRecord]:
        return {}

    world.office.people.consents = nothing  # type: ignore[method-assign, assignment]


def _grants_count_by_their_date_alone(world: World) -> None:
    """As if every revocation had been received before all grants."""
    consents = world.office.people.consents

    async def dated(organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        known = (await consents(organisation, persons)).items()
        return {one: ConsentRecord(statements=tuple(map(_received_long_ago, it.statements))) for one, it in known}

    world.office.people.consents = dated  # type: ignore[method-assign]


def _received_long_ago(one: Consent) -> Consent:
    long_ago = one.received_at - timedelta(days=30)
    return replace(one, received_at=long_ago) if one.state is ConsentState.REVOKED else one


class _FormsApart(NumberKey):
    """Hashes a number exactly as it is written."""

    @override
    def person(self, organisation: str, e164: str) -> str:
        return self._hash(f"{organisation}\n{e164}")


def _an_old_number_is_another_person(world: World) -> None:
    world.office.number_key = _FormsApart(b"k" * 64)
    world.office.put_together()


def _the_rate_is_too_high(world: World) -> None:
    """As if every worker had the whole rate for itself, many times over."""
    settings_are = world.settings_are

    async def quicker(whatsapp: WhatsAppIntegration, sms: SmsIntegration) -> None:
        await settings_are(replace(whatsapp, rate_per_second=80), replace(sms, rate_per_second=50))

    world.settings_are = quicker  # type: ignore[method-assign]


def _the_clock_is_wrong(world: World) -> None:
    """The workers' clock is three hours behind the true time."""
    now = world.clock.now
    world.office.clock.now = lambda: now() - timedelta(hours=3)  # type: ignore[method-assign]


def _statuses_are_overwritten(world: World) -> None:
    move = world.office.log.move

    async def forced(organisation: str, message_id: str, wish: Any) -> Any:
        moved = await move(organisation, message_id, wish)
        row = world.office.log.rows.get((organisation, message_id))
        if row is not None and not moved.won and row.status != wish.status:
            world.office.log._keep(replace(row, status=wish.status, reason=wish.reason))
        return moved

    world.office.log.move = forced  # type: ignore[method-assign, assignment]


def _every_update_is_taken_for_ones_own(world: World) -> None:
    async def asked_of_another(listener: AccountListener, organisation: str, webhook_event: WebhookEvent) -> None:
        found = await listener._deps.integrations.whatsapp(organisation)
        ours = replace(found, business_account_id="another") if found is not None else None
        own = SimpleNamespace(whatsapp=_always(ours))
        listener._deps = replace(listener._deps, integrations=own)
        await AccountListener.receive(listener, organisation, webhook_event)

    class Trusting(Container):
        @override
        def account_listener(self) -> AccountListener:
            made = super().account_listener()
            made.receive = partial(asked_of_another, made)  # type: ignore[method-assign]
            return made

    world.office.container = Trusting


def _always[T](found: T) -> Callable[..., Coroutine[Any, Any, T]]:
    async def answer(*_: object, **__: object) -> T:
        return found

    return answer


def _a_key_alone_names_a_message(world: World) -> None:
    """For any channel and any sending number."""
    move = world.office.log.move

    async def trusting(organisation: str, message_id: str, wish: Any) -> Any:
        return await move(organisation, message_id, replace(wish, channel=None, sender=None))

    world.office.log.move = trusting  # type: ignore[method-assign, assignment]


def _tokens_of_claims_are_not_kept(world: World) -> None:
    """A claim that AWS's client repeats then looks like another worker's."""
    keep = world.office.log._keep

    def forgetful(row: Message) -> Message:
        return keep(replace(row, claim_token=f"not {row.claim_token}") if row.claim_token else row)

    world.office.log._keep = forgetful  # type: ignore[method-assign]


def _meta_is_taken_to_report(world: World) -> None:
    """Fallbacks by time never wait for Meta's reports."""
    forever = world.clock.instant + timedelta(days=365)

    async def reporting(*_: object) -> LastHeard:
        return LastHeard(last_heard_at=forever)

    world.office.last_heard_store.read = reporting  # type: ignore[method-assign, assignment]


def _rows_are_not_compared_again_at_logging(world: World) -> None:
    class Forgetful(AlreadySent):
        async def since_planning(self, distribution: Distribution, rows: Iterable[int]) -> set[int]:
            return set()

    class Forgetting(Container):
        @cached_property
        @override
        def already(self) -> AlreadySent:
            on = self.adapters
            return Forgetful(on.distributions, on.turns, on.plans, on.log, self.status_writer(), on.clock)

    world.office.container = Forgetting


def _the_last_successor_has_the_place(world: World) -> None:
    """And planning takes failed messages that have a successor. Then two retries both send them."""
    log = world.office.log
    get_many = log.get_many

    async def last(organisation: str, message_id: str, *, successor: str) -> bool:
        log._keep(replace(log.rows[organisation, message_id], successor_message_id=successor))
        return True

    async def without_successors(organisation: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        found = await get_many(organisation, message_ids)
        return {name: replace(row, successor_message_id=None) for name, row in found.items()}

    log.note_successor = last  # type: ignore[method-assign]
    log.get_many = without_successors  # type: ignore[method-assign]


def _a_phone_has_one_card(world: World) -> None:
    """As if neither enrolment nor text told siblings apart."""

    class Alike(Eligibility):
        @override
        async def check_rows(self, *given: Any) -> Any:
            return [
                replace(one, composed=replace(one.composed, card_code="C")) if isinstance(one, Accepted) else one
                for one in await super().check_rows(*given)
            ]

    class Unaware(Container):
        @cached_property
        @override
        def eligibility(self) -> Eligibility:
            return Alike(self.adapters.people, self.adapters.sessions, self.adapters.number_key)

    world.office.container = Unaware


def _a_card_that_is_not_there_fails_at_once(world: World) -> None:
    """Then, while a card host is away, the whole list fails row by row."""
    step = SimulatedOffice.step

    def hasty(office: SimulatedOffice, channel: Channel, **how: Any) -> SendStep[Any, str]:
        made = step(office, channel, **how)
        made._deps.cards.take = _fails  # type: ignore[method-assign, assignment]
        return made

    world.office.__class__ = type("Hasty", (SimulatedOffice,), {"step": hasty})


async def _fails(*_: object) -> CardDecision:
    return FAIL


BREAKS: dict[Callable[[World], None], tuple[frozenset[str], str]] = {
    _every_claim_is_won: (frozenset({"sqs_delivers_twice", "sqs_delete_lost"}), "doubled"),
    _no_revocation_is_known: (frozenset({"consent_revoked"}), "early"),
    _grants_count_by_their_date_alone: (frozenset({"consents_dated"}), "early"),
    _an_old_number_is_another_person: (frozenset({"stops_written"}), "early"),
    _the_rate_is_too_high: (frozenset({"tick_doubled"}), "early"),
    _the_clock_is_wrong: (frozenset({"clock_crosses_21"}), "early"),
    _a_card_that_is_not_there_fails_at_once: (frozenset({"card_host_away"}), "wrong"),
    _statuses_are_overwritten: (frozenset({"webhook_reordered"}), "wrong"),
    _every_update_is_taken_for_ones_own: (frozenset({"anothers_updates"}), "wrong"),
    _a_key_alone_names_a_message: (frozenset({"webhook_misdirected"}), "wrong"),
    _tokens_of_claims_are_not_kept: (frozenset({"own_write_met_again"}), "wrong"),
    _meta_is_taken_to_report: (frozenset({"provider_silent"}), "doubled"),
    _rows_are_not_compared_again_at_logging: (frozenset({"lists_overlap"}), "doubled"),
    _a_phone_has_one_card: (frozenset({"phone_shared"}), "wrong"),
    _the_last_successor_has_the_place: (frozenset({"retried_by_hand", "recipient_refused"}), "doubled"),
}


@pytest.mark.parametrize(("sabotage", "how"), BREAKS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_removed_guard_is_noticed(sabotage: Callable[[World], None], how: tuple[frozenset[str], str]) -> None:
    chosen, kind = how
    found: set[str] = set()
    for seed in range(12):
        outcome = run_with(replace(roll(seed), chosen=chosen), seed, prepare=sabotage)
        found |= {wrong.kind for wrong in outcome.wrongs}
        if kind in found:
            return
    pytest.fail(f"no violation of this kind; found {found}")
