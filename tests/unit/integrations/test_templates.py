"""The template catalogue of a request, submissions, and the effect of Meta's updates on distributions."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Distribution, DistributionStatus, Plan, Run, Schedule
from shared.holds.hold import template_scope
from shared.holds.keeper import HoldKeeper
from shared.integrations.integration import WhatsAppIntegration
from shared.integrations.templates import TemplateGuard, Templates
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Channel
from shared.pacing.daily_limit import DailyLimit, NumberFacts, NumberReader, NumberStatusUpdate
from shared.texts.templates import READY_MADE, Catalogue, KnownTemplate, Shape
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.updates import AccountUpdate, LimitUpdate, NumberUpdate, Source, TemplateStatus, TemplateUpdate
from tests.fakes.account import FakeMeta, FakeNumberStatuses, FakeTemplateBook
from tests.fakes.bulk import FakeDistributions
from tests.fakes.holds import FakeHolds
from tests.fakes.numbers import FakePeopleCount
from tests.fakes.office import WHATSAPP
from tests.fakes.rest import FakeIntegrations, FakeTaskQueue
from tests.fakes.world import FakeClock, FakeTelemetry, Points

NUMBER = replace(WHATSAPP, business_account_id="900")
OURS = Source(account="900")
APPROVED, PAUSED, PENDING = TemplateStatus.APPROVED, TemplateStatus.PAUSED, TemplateStatus.PENDING
DOWN = SendError(Kind.RETRY, "ConnectError")
NAME = "vaccination_card"
SHAPE = Shape(body="Carte {card_code}.", parameters=("card_code",))


class AdapterRig:
    """The parts that take updates, read and submit, in memory, for one organisation with an account."""

    def __init__(self, integration: WhatsAppIntegration = NUMBER) -> None:
        self.integration = integration
        self.clock = FakeClock()
        points = Points()
        self.telemetry = FakeTelemetry()
        self.book = FakeTemplateBook()
        self.meta = FakeMeta()
        self.number_statuses = FakeNumberStatuses(points)
        self.people_count = FakePeopleCount(points)
        self.distributions = FakeDistributions(points)
        self.integrations = FakeIntegrations()
        self.integrations.kept = {(integration.organisation, "whatsapp"): integration}
        self.templates = Templates(self.book, self.meta, self.telemetry, self.clock)
        self.number = NumberReader(self.number_statuses, self.meta, self.people_count, self.telemetry, self.clock)
        self.holds = FakeHolds(points, self.distributions)
        self.holding = HoldKeeper(self.holds, self.distributions, self.telemetry, self.clock)
        self.tasks = FakeTaskQueue(points)
        self.listener = AccountListener(
            AccountDeps(
                integrations=self.integrations,
                book=self.book,
                number_statuses=self.number_statuses,
                holding=self.holding,
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )
        self.guard = TemplateGuard(self.book)

    def catalogue(self) -> Catalogue:
        return run(self.templates.catalogue(self.integration))

    def status(self, name: str = NAME, language: str = "fr") -> TemplateStatus | None:
        found = self.catalogue().find(name, language)
        assert found is not None
        return found.status

    def at_meta(self, status: TemplateStatus, name: str = NAME, language: str = "fr", **changes: Any) -> None:
        shape = READY_MADE[name, language].shape if (name, language) in READY_MADE else SHAPE
        known = KnownTemplate(
            name=name, language=language, status=status, reported_at=self.clock.now(), category="UTILITY", shape=shape
        )
        self.meta.put(replace(known, **changes))

    def receive(self, *webhook_event: TemplateUpdate | AccountUpdate | LimitUpdate | NumberUpdate) -> None:
        for one in webhook_event:
            ours = one if one.source != Source() else replace(one, source=OURS)
            run(self.listener.receive(self.integration.organisation, ours))

    def reported(
        self, status: TemplateStatus | None = None, category: str | None = None, language: str = "fr"
    ) -> TemplateUpdate:
        return TemplateUpdate(name=NAME, language=language, status=status, category=category, at=self.clock.now())

    def sending(self, identity: str, **changes: Any) -> None:
        plan = Plan(
            attempt=1,
            runs=(Run(country="SN", template=f"{changes.get('template', NAME)}/fr", rows=1, chunks=1),),
            accepted=1,
            rejected=0,
            duplicates=0,
            segments=None,
            prices=(),
            warnings=(),
            peak=(),
            starts_at=None,
            estimated_end=None,
        )
        distribution = Distribution(
            organisation=self.integration.organisation,
            distribution_id=identity,
            campaign_id="c",
            channel=Channel.WHATSAPP,
            schedule=Schedule(),
            confirm=True,
            request_hash="h",
            status=DistributionStatus.SENDING,
            created_at=self.clock.now(),
            plan=plan,
            template=NAME,
        )
        run(self.distributions.create(replace(distribution, **changes)))

    def stored_of(self, identity: str) -> tuple[DistributionStatus, str | None]:
        """As release leaves it at its next step."""
        run(self.holding.refresh(self.integration.organisation, identity))
        found = run(self.distributions.get(self.integration.organisation, identity))
        assert found is not None
        return found.status, found.status_reason


def run[T](work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


# ----------------------------------------------------------------------------------------------------------- catalogue


def test_meta_is_asked_again_after_ten_minutes() -> None:
    adapter = AdapterRig()
    adapter.at_meta(APPROVED)
    assert (adapter.status(), adapter.status(language="en")) == (APPROVED, TemplateStatus.NOT_SUBMITTED)
    adapter.clock.pass_by(minutes=9)
    assert adapter.catalogue().is_sure
    assert adapter.meta.calls == ["listed"]
    adapter.at_meta(PAUSED)
    adapter.clock.pass_by(minutes=2)
    assert adapter.status() is PAUSED
    assert adapter.meta.calls == ["listed", "listed"]


def test_while_one_is_under_review_meta_is_asked_every_half_minute() -> None:
    adapter = AdapterRig()
    adapter.at_meta(PENDING)
    assert adapter.status() is PENDING
    adapter.at_meta(APPROVED)
    adapter.clock.pass_by(seconds=29)
    assert adapter.status() is PENDING
    adapter.clock.pass_by(seconds=2)
    assert adapter.status() is APPROVED


def test_an_update_of_a_template_with_unknown_text_makes_the_list_be_read_soon() -> None:
    adapter = AdapterRig()
    adapter.catalogue()
    adapter.clock.pass_by(seconds=40)
    adapter.receive(TemplateUpdate(name="own_card", language="fr", status=APPROVED, at=adapter.clock.now()))
    adapter.at_meta(APPROVED, "own_card")
    found = adapter.catalogue().find("own_card")
    assert found is not None
    assert (found.origin, found.shape) == ("own", SHAPE)


def test_after_a_failure_meta_is_not_asked_for_a_minute() -> None:
    adapter = AdapterRig()
    adapter.at_meta(APPROVED)
    adapter.catalogue()
    adapter.clock.pass_by(minutes=11)
    adapter.meta.error = DOWN
    for _ in range(3):
        found = adapter.catalogue()
        assert found.is_sure is False
        assert [one.status for one in found.languages(NAME)] == [APPROVED, None]
    assert adapter.meta.calls == ["listed", "listed"]
    adapter.meta.error = None
    adapter.clock.pass_by(seconds=61)
    assert adapter.catalogue().is_sure


def test_changed_settings_end_the_wait() -> None:
    adapter = AdapterRig()
    adapter.meta.error = SendError(Kind.STOP, "190", "token_invalid")
    adapter.catalogue()
    adapter.meta.error = None
    adapter.integration = replace(NUMBER, version=2)
    assert adapter.catalogue().is_sure


def test_without_an_account_meta_is_not_asked_and_no_webhook_counts() -> None:
    adapter = AdapterRig(WHATSAPP)
    adapter.sending("d")
    assert adapter.status() is None
    adapter.receive(adapter.reported(PAUSED))
    assert adapter.status() is None
    found = run(adapter.distributions.get(WHATSAPP.organisation, "d"))
    assert found is not None
    assert run(adapter.guard.stopped(WHATSAPP, found)) == {}
    assert adapter.meta.calls == []


# -------------------------------------------------------------------------------------------------------------- submit


def refused(adapter: AdapterRig, name: str = NAME, integration: WhatsAppIntegration | None = NUMBER) -> Refusal:
    with pytest.raises(Refusal) as caught:
        run(adapter.templates.submit(integration, name))
    return caught.value


def test_both_languages_are_submitted_with_one_picture() -> None:
    adapter = AdapterRig()
    run(adapter.templates.submit(NUMBER, NAME))
    created = [f"create {NAME} fr 4::handle", f"create {NAME} en 4::handle"]
    assert adapter.meta.calls == ["listed", "example", *created]
    assert (adapter.status(), adapter.status(language="en")) == (PENDING, PENDING)


def test_an_existing_template_stays_and_its_status_is_adopted() -> None:
    adapter = AdapterRig()
    adapter.at_meta(APPROVED)
    run(adapter.templates.submit(NUMBER, NAME))
    assert adapter.meta.calls == ["listed", "example", f"create {NAME} en 4::handle"]
    assert (adapter.status(), adapter.status(language="en")) == (APPROVED, PENDING)
    adapter.meta.calls.clear()
    run(adapter.templates.submit(NUMBER, NAME))
    assert adapter.meta.calls == ["listed"]


def test_a_template_that_appears_meanwhile_is_no_error() -> None:
    adapter = AdapterRig()
    run(adapter.templates.catalogue(NUMBER))
    listed = adapter.meta.listed

    async def late(integration: WhatsAppIntegration, account: str, at: Any) -> Any:
        found = await listed(integration, account, at)
        if not adapter.meta.templates:
            adapter.at_meta(APPROVED)
            return []
        return found

    adapter.meta.listed = late  # type: ignore[method-assign]  # a Meta that is a moment behind
    run(adapter.templates.submit(NUMBER, NAME))
    assert adapter.meta.calls[-1] == "listed"
    assert adapter.status() is APPROVED


def test_a_rejected_template_is_revised() -> None:
    adapter = AdapterRig()
    for language in ("fr", "en"):
        adapter.at_meta(TemplateStatus.REJECTED, language=language, template_id=f"id-{language}")
    run(adapter.templates.submit(NUMBER, NAME))
    assert adapter.meta.calls == ["listed", "example", "revise id-fr 4::handle", "revise id-en 4::handle"]


@pytest.mark.parametrize(
    ("name", "integration", "code", "facts"),
    [
        ("school_card", NUMBER, ProblemCode.NOT_FOUND, {}),
        ("own_card", NUMBER, ProblemCode.NOT_FOUND, {}),
        (NAME, None, ProblemCode.INTEGRATION_MISSING, {"integration": "whatsapp"}),
        (NAME, WHATSAPP, ProblemCode.INTEGRATION_MISSING, {"integration": "business_account_id"}),
    ],
)
def test_templates_that_cannot_be_submitted(
    name: str, integration: WhatsAppIntegration | None, code: ProblemCode, facts: dict[str, str]
) -> None:
    adapter = AdapterRig()
    found = refused(adapter, name, integration)
    assert (found.code, dict(found.facts)) == (code, facts)
    assert adapter.meta.calls == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [(SendError(Kind.STOP, "190", "token_invalid"), "token_invalid"), (DOWN, "provider_down")],
)
def test_meta_s_refusal_says_what_to_do(error: SendError, reason: str) -> None:
    adapter = AdapterRig()
    adapter.meta.error = error
    found = refused(adapter)
    assert (found.code, dict(found.facts)) == (
        ProblemCode.PROVIDER_REFUSED,
        {"reason": reason, "provider_code": error.code},
    )


# ------------------------------------------------------------------------------------------------------------- updates


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (PAUSED, "template_paused"),
        (TemplateStatus.DISABLED, "template_disabled"),
        (TemplateStatus.REJECTED, "template_disabled"),
        (TemplateStatus.NOT_SUBMITTED, "template_disabled"),
    ],
)
def test_a_stopped_template_pauses_only_distributions_that_use_it(status: TemplateStatus, reason: str) -> None:
    adapter = AdapterRig()
    adapter.sending("calls-it")
    adapter.sending("scheduled", status=DistributionStatus.SCHEDULED)
    adapter.sending("another-template", template="nutrition_card")
    adapter.sending("sms", channel=Channel.SMS)
    adapter.sending("planned", status=DistributionStatus.PLANNED)
    adapter.sending("text", template=None)
    adapter.receive(adapter.reported(status))
    for identity in ("calls-it", "scheduled"):
        assert adapter.stored_of(identity) == (DistributionStatus.PAUSED, reason)
    for identity in ("another-template", "sms", "text"):
        assert adapter.stored_of(identity) == (DistributionStatus.SENDING, None)
    assert adapter.stored_of("planned") == (DistributionStatus.PLANNED, None)


def test_another_language_goes_on() -> None:
    adapter = AdapterRig()
    adapter.sending("french")
    adapter.receive(adapter.reported(PAUSED, language="en"))
    assert adapter.stored_of("french") == (DistributionStatus.SENDING, None)


def test_a_pending_template_pauses_nothing_and_an_approved_one_resumes() -> None:
    adapter = AdapterRig()
    adapter.sending("d")
    adapter.receive(adapter.reported(PENDING), adapter.reported(APPROVED))
    assert adapter.stored_of("d") == (DistributionStatus.SENDING, None)
    adapter.receive(adapter.reported(PAUSED))
    assert adapter.stored_of("d") == (DistributionStatus.PAUSED, "template_paused")
    adapter.clock.pass_by(hours=3)
    adapter.receive(adapter.reported(APPROVED))
    assert adapter.stored_of("d") == (DistributionStatus.SENDING, None)


def test_an_older_update_pauses_nothing() -> None:
    adapter = AdapterRig()
    adapter.sending("d")
    old = adapter.reported(PAUSED)
    adapter.clock.pass_by(hours=3)
    adapter.receive(adapter.reported(APPROVED), old)
    assert adapter.stored_of("d") == (DistributionStatus.SENDING, None)


def test_leaving_the_utility_category_pauses_once() -> None:
    adapter = AdapterRig()
    adapter.at_meta(APPROVED)
    adapter.catalogue()
    adapter.sending("d")
    adapter.clock.pass_by(minutes=1)
    moved = adapter.reported(category="MARKETING")
    adapter.receive(moved)
    assert adapter.stored_of("d") == (DistributionStatus.PAUSED, "template_recategorised")
    run(adapter.holding.end(NUMBER.organisation, Channel.WHATSAPP, [template_scope(NAME, "fr")]))
    adapter.clock.pass_by(minutes=1)
    adapter.receive(adapter.reported(APPROVED, "MARKETING"))
    assert adapter.stored_of("d") == (DistributionStatus.SENDING, None)


def test_release_learns_of_a_stop_without_an_update() -> None:
    adapter = AdapterRig()
    adapter.sending("d")
    found = run(adapter.distributions.get(NUMBER.organisation, "d"))
    assert found is not None
    assert run(adapter.guard.stopped(NUMBER, found)) == {}
    adapter.at_meta(PAUSED)
    adapter.catalogue()
    assert run(adapter.guard.stopped(NUMBER, found)) == {template_scope(NAME, "fr"): "template_paused"}
    adapter.sending("english", template="vaccination_card_of_another_name")
    other = run(adapter.distributions.get(NUMBER.organisation, "english"))
    assert other is not None
    assert run(adapter.guard.stopped(NUMBER, other)) == {}


def test_a_restricted_account_pauses_all_of_whatsapp_until_it_is_over() -> None:
    adapter = AdapterRig()
    adapter.sending("d")
    adapter.sending("sms", channel=Channel.SMS)
    restricted = AccountUpdate(restricted=True, event="ACCOUNT_RESTRICTION", at=adapter.clock.now())
    adapter.receive(restricted)
    assert adapter.stored_of("d") == (DistributionStatus.PAUSED, "account_restricted")
    assert adapter.stored_of("sms") == (DistributionStatus.SENDING, None)
    adapter.clock.pass_by(hours=1)
    adapter.receive(AccountUpdate(restricted=False, event="REINSTATE", at=adapter.clock.now()))
    assert adapter.stored_of("d") == (DistributionStatus.SENDING, None)
    adapter.sending("later")
    adapter.receive(restricted)
    assert adapter.stored_of("later") == (DistributionStatus.SENDING, None)


def test_an_update_for_an_unknown_organisation_is_dropped() -> None:
    adapter = AdapterRig()
    run(adapter.listener.receive("nobody", adapter.reported(PAUSED)))
    assert adapter.telemetry.names() == ["webhook_event_without_integration"]


def test_limit_and_quality_are_kept() -> None:
    adapter = AdapterRig()
    now = adapter.clock.now()
    adapter.receive(
        LimitUpdate(limit=None, at=now),
        NumberUpdate(event="FLAGGED", quality="RED", at=now, source=replace(OURS, phone_number_id="1")),
        NumberUpdate(event="x", quality="GREEN", at=now, source=replace(OURS, phone_number_id="another")),
        NumberUpdate(event="x", quality="GREEN", at=now, source=replace(OURS, shown_number="221770000000")),
        LimitUpdate(limit=250, at=now, source=replace(OURS, shown_number="221770000000")),
        NumberUpdate(event="THROUGHPUT_UPGRADE", at=now),
    )
    found = run(adapter.number_statuses.get(NUMBER.organisation, NUMBER.phone_number_id))
    assert (found.limit, found.quality) == (DailyLimit(people=None), "RED")


# --------------------------------------------------------------------------------------------------------------- limit


def codes(adapter: AdapterRig, people: int) -> list[tuple[str, int | None]]:
    return [(one.code, one.count) for one in run(adapter.number.limit_warnings(NUMBER, people))]


def test_more_people_than_the_remaining_limit_cause_a_warning() -> None:
    adapter = AdapterRig()
    adapter.meta.facts = NumberFacts(limit=DailyLimit(people=250))
    assert codes(adapter, 250) == []
    assert codes(adapter, 251) == [("daily_limit_exceeded", 1)]
    for number in range(10):
        run(adapter.people_count.take(NUMBER.organisation, "900", f"p{number}", limit=None, now=adapter.clock.now()))
    assert codes(adapter, 251) == [("daily_limit_exceeded", 11)]
    assert adapter.meta.calls == ["number"]


def test_no_limit_and_an_unknown_one() -> None:
    adapter = AdapterRig()
    adapter.meta.error = DOWN
    assert codes(adapter, 0) == []
    assert codes(adapter, 1) == [("template_status_unknown", None)]
    assert codes(adapter, 1) == [("template_status_unknown", None)]
    assert adapter.meta.calls == ["number"]
    adapter.receive(LimitUpdate(limit=None, at=adapter.clock.now()))
    assert codes(adapter, 1_000_000) == []


def test_the_number_is_read_again_after_an_hour_which_ends_a_restriction() -> None:
    adapter = AdapterRig()
    adapter.meta.facts = NumberFacts(limit=DailyLimit(people=250), can_send="AVAILABLE")
    owner = (NUMBER.organisation, NUMBER.phone_number_id)
    run(
        adapter.number_statuses.tell(
            *owner, NumberStatusUpdate(at=adapter.clock.now() - timedelta(days=1), restricted=True)
        )
    )
    assert run(adapter.number.current(NUMBER)).restricted is False
    adapter.clock.pass_by(minutes=59)
    run(adapter.number.current(NUMBER))
    assert adapter.meta.calls == ["number"]
    adapter.clock.pass_by(minutes=2)
    run(adapter.number.current(NUMBER))
    assert adapter.meta.calls == ["number", "number"]
