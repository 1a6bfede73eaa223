"""The catalogue as a request sees it, submitting, and what Meta's news does to what is being sent."""

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
from shared.pacing.daily_limit import DailyLimit, NumberFacts, NumberReader, Told
from shared.texts.catalogue import Catalogue, KnownTemplate
from shared.texts.templates import READY_MADE, Shape
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.updates import AccountNews, LimitNews, NumberNews, Source, TemplateNews, TemplateStatus
from tests.fakes.account import FakeMeta, FakeReputations, FakeTemplateBook
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


class Desk:
    """What listens, reads and submits, in memory, for one organisation with an account."""

    def __init__(self, integration: WhatsAppIntegration = NUMBER) -> None:
        self.integration = integration
        self.clock = FakeClock()
        points = Points()
        self.telemetry = FakeTelemetry()
        self.book = FakeTemplateBook()
        self.meta = FakeMeta()
        self.reputations = FakeReputations(points)
        self.people_count = FakePeopleCount(points)
        self.distributions = FakeDistributions(points)
        self.integrations = FakeIntegrations()
        self.integrations.kept = {(integration.organisation, "whatsapp"): integration}
        self.templates = Templates(self.book, self.meta, self.telemetry, self.clock)
        self.number = NumberReader(self.reputations, self.meta, self.people_count, self.telemetry, self.clock)
        self.holds = FakeHolds(points, self.distributions)
        self.holding = HoldKeeper(self.holds, self.distributions, self.telemetry, self.clock)
        self.tasks = FakeTaskQueue(points)
        self.listener = AccountListener(
            AccountDeps(
                integrations=self.integrations,
                book=self.book,
                reputations=self.reputations,
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
            name=name, language=language, status=status, told_at=self.clock.now(), category="UTILITY", shape=shape
        )
        self.meta.put(replace(known, **changes))

    def hear(self, *news: TemplateNews | AccountNews | LimitNews | NumberNews) -> None:
        for one in news:
            ours = one if one.source != Source() else replace(one, source=OURS)
            run(self.listener.hear(self.integration.organisation, ours))

    def told(
        self, status: TemplateStatus | None = None, category: str | None = None, language: str = "fr"
    ) -> TemplateNews:
        return TemplateNews(name=NAME, language=language, status=status, category=category, at=self.clock.now())

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

    def standing_of(self, identity: str) -> tuple[DistributionStatus, str | None]:
        """As release leaves it at its next look."""
        run(self.holding.refresh(self.integration.organisation, identity))
        found = run(self.distributions.get(self.integration.organisation, identity))
        assert found is not None
        return found.status, found.status_reason


def run[T](work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


# ----------------------------------------------------------------------------------------------------------- catalogue


def test_meta_is_asked_again_after_ten_minutes() -> None:
    desk = Desk()
    desk.at_meta(APPROVED)
    assert (desk.status(), desk.status(language="en")) == (APPROVED, TemplateStatus.NOT_SUBMITTED)
    desk.clock.pass_by(minutes=9)
    assert desk.catalogue().is_sure
    assert desk.meta.calls == ["listed"]
    desk.at_meta(PAUSED)
    desk.clock.pass_by(minutes=2)
    assert desk.status() is PAUSED
    assert desk.meta.calls == ["listed", "listed"]


def test_while_one_is_under_review_meta_is_asked_every_half_minute() -> None:
    desk = Desk()
    desk.at_meta(PENDING)
    assert desk.status() is PENDING
    desk.at_meta(APPROVED)
    desk.clock.pass_by(seconds=29)
    assert desk.status() is PENDING
    desk.clock.pass_by(seconds=2)
    assert desk.status() is APPROVED


def test_news_of_a_template_whose_text_is_unknown_makes_the_list_be_read_soon() -> None:
    desk = Desk()
    desk.catalogue()
    desk.clock.pass_by(seconds=40)
    desk.hear(TemplateNews(name="own_card", language="fr", status=APPROVED, at=desk.clock.now()))
    desk.at_meta(APPROVED, "own_card")
    found = desk.catalogue().find("own_card")
    assert found is not None
    assert (found.origin, found.shape) == ("own", SHAPE)


def test_a_meta_that_does_not_answer_is_left_alone_for_a_minute() -> None:
    desk = Desk()
    desk.at_meta(APPROVED)
    desk.catalogue()
    desk.clock.pass_by(minutes=11)
    desk.meta.error = DOWN
    for _ in range(3):
        found = desk.catalogue()
        assert found.is_sure is False
        assert [one.status for one in found.languages(NAME)] == [APPROVED, None]
    assert desk.meta.calls == ["listed", "listed"]
    desk.meta.error = None
    desk.clock.pass_by(seconds=61)
    assert desk.catalogue().is_sure


def test_changed_settings_end_the_wait() -> None:
    desk = Desk()
    desk.meta.error = SendError(Kind.STOP, "190", "token_invalid")
    desk.catalogue()
    desk.meta.error = None
    desk.integration = replace(NUMBER, version=2)
    assert desk.catalogue().is_sure


def test_without_an_account_nobody_is_asked_and_no_webhook_counts() -> None:
    desk = Desk(WHATSAPP)
    desk.sending("d")
    assert desk.status() is None
    desk.hear(desk.told(PAUSED))
    assert desk.status() is None
    found = run(desk.distributions.get(WHATSAPP.organisation, "d"))
    assert found is not None
    assert run(desk.guard.stopped(WHATSAPP, found)) == {}
    assert desk.meta.calls == []


# -------------------------------------------------------------------------------------------------------------- submit


def refused(desk: Desk, name: str = NAME, integration: WhatsAppIntegration | None = NUMBER) -> Refusal:
    with pytest.raises(Refusal) as caught:
        run(desk.templates.submit(integration, name))
    return caught.value


def test_both_languages_are_submitted_with_one_picture() -> None:
    desk = Desk()
    run(desk.templates.submit(NUMBER, NAME))
    created = [f"create {NAME} fr 4::handle", f"create {NAME} en 4::handle"]
    assert desk.meta.calls == ["listed", "example", *created]
    assert (desk.status(), desk.status(language="en")) == (PENDING, PENDING)


def test_what_is_there_stays_and_its_status_is_taken_over() -> None:
    desk = Desk()
    desk.at_meta(APPROVED)
    run(desk.templates.submit(NUMBER, NAME))
    assert desk.meta.calls == ["listed", "example", f"create {NAME} en 4::handle"]
    assert (desk.status(), desk.status(language="en")) == (APPROVED, PENDING)
    desk.meta.calls.clear()
    run(desk.templates.submit(NUMBER, NAME))
    assert desk.meta.calls == ["listed"]


def test_one_that_appears_meanwhile_is_no_error() -> None:
    desk = Desk()
    run(desk.templates.catalogue(NUMBER))
    listed = desk.meta.listed

    async def late(integration: WhatsAppIntegration, account: str, at: Any) -> Any:
        found = await listed(integration, account, at)
        if not desk.meta.templates:
            desk.at_meta(APPROVED)
            return []
        return found

    desk.meta.listed = late  # type: ignore[method-assign]  # a Meta that is a moment behind
    run(desk.templates.submit(NUMBER, NAME))
    assert desk.meta.calls[-1] == "listed"
    assert desk.status() is APPROVED


def test_a_rejected_one_is_revised() -> None:
    desk = Desk()
    for language in ("fr", "en"):
        desk.at_meta(TemplateStatus.REJECTED, language=language, template_id=f"id-{language}")
    run(desk.templates.submit(NUMBER, NAME))
    assert desk.meta.calls == ["listed", "example", "revise id-fr 4::handle", "revise id-en 4::handle"]


@pytest.mark.parametrize(
    ("name", "integration", "code", "facts"),
    [
        ("school_card", NUMBER, ProblemCode.NOT_FOUND, {}),
        ("own_card", NUMBER, ProblemCode.NOT_FOUND, {}),
        (NAME, None, ProblemCode.INTEGRATION_MISSING, {"integration": "whatsapp"}),
        (NAME, WHATSAPP, ProblemCode.INTEGRATION_MISSING, {"integration": "business_account_id"}),
    ],
)
def test_what_cannot_be_submitted(
    name: str, integration: WhatsAppIntegration | None, code: ProblemCode, facts: dict[str, str]
) -> None:
    desk = Desk()
    found = refused(desk, name, integration)
    assert (found.code, dict(found.facts)) == (code, facts)
    assert desk.meta.calls == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [(SendError(Kind.STOP, "190", "token_invalid"), "token_invalid"), (DOWN, "provider_down")],
)
def test_meta_s_refusal_says_what_to_do(error: SendError, reason: str) -> None:
    desk = Desk()
    desk.meta.error = error
    found = refused(desk)
    assert (found.code, dict(found.facts)) == (
        ProblemCode.PROVIDER_REFUSED,
        {"reason": reason, "provider_code": error.code},
    )


# ---------------------------------------------------------------------------------------------------------------- news


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (PAUSED, "template_paused"),
        (TemplateStatus.DISABLED, "template_disabled"),
        (TemplateStatus.REJECTED, "template_disabled"),
        (TemplateStatus.NOT_SUBMITTED, "template_disabled"),
    ],
)
def test_a_stopped_template_pauses_what_calls_it_and_nothing_else(status: TemplateStatus, reason: str) -> None:
    desk = Desk()
    desk.sending("calls-it")
    desk.sending("scheduled", status=DistributionStatus.SCHEDULED)
    desk.sending("another-template", template="nutrition_card")
    desk.sending("sms", channel=Channel.SMS)
    desk.sending("planned", status=DistributionStatus.PLANNED)
    desk.sending("text", template=None)
    desk.hear(desk.told(status))
    for identity in ("calls-it", "scheduled"):
        assert desk.standing_of(identity) == (DistributionStatus.PAUSED, reason)
    for identity in ("another-template", "sms", "text"):
        assert desk.standing_of(identity) == (DistributionStatus.SENDING, None)
    assert desk.standing_of("planned") == (DistributionStatus.PLANNED, None)


def test_another_language_goes_on() -> None:
    desk = Desk()
    desk.sending("french")
    desk.hear(desk.told(PAUSED, language="en"))
    assert desk.standing_of("french") == (DistributionStatus.SENDING, None)


def test_a_pending_one_pauses_nothing_and_an_approved_one_goes_on() -> None:
    desk = Desk()
    desk.sending("d")
    desk.hear(desk.told(PENDING), desk.told(APPROVED))
    assert desk.standing_of("d") == (DistributionStatus.SENDING, None)
    desk.hear(desk.told(PAUSED))
    assert desk.standing_of("d") == (DistributionStatus.PAUSED, "template_paused")
    desk.clock.pass_by(hours=3)
    desk.hear(desk.told(APPROVED))
    assert desk.standing_of("d") == (DistributionStatus.SENDING, None)


def test_older_news_pauses_nothing() -> None:
    desk = Desk()
    desk.sending("d")
    old = desk.told(PAUSED)
    desk.clock.pass_by(hours=3)
    desk.hear(desk.told(APPROVED), old)
    assert desk.standing_of("d") == (DistributionStatus.SENDING, None)


def test_leaving_the_utility_category_pauses_once() -> None:
    desk = Desk()
    desk.at_meta(APPROVED)
    desk.catalogue()
    desk.sending("d")
    desk.clock.pass_by(minutes=1)
    moved = desk.told(category="MARKETING")
    desk.hear(moved)
    assert desk.standing_of("d") == (DistributionStatus.PAUSED, "template_recategorised")
    run(desk.holding.end(NUMBER.organisation, Channel.WHATSAPP, [template_scope(NAME, "fr")]))
    desk.clock.pass_by(minutes=1)
    desk.hear(desk.told(APPROVED, "MARKETING"))
    assert desk.standing_of("d") == (DistributionStatus.SENDING, None)


def test_release_is_told_what_news_missed() -> None:
    desk = Desk()
    desk.sending("d")
    found = run(desk.distributions.get(NUMBER.organisation, "d"))
    assert found is not None
    assert run(desk.guard.stopped(NUMBER, found)) == {}
    desk.at_meta(PAUSED)
    desk.catalogue()
    assert run(desk.guard.stopped(NUMBER, found)) == {template_scope(NAME, "fr"): "template_paused"}
    desk.sending("english", template="vaccination_card_of_another_name")
    other = run(desk.distributions.get(NUMBER.organisation, "english"))
    assert other is not None
    assert run(desk.guard.stopped(NUMBER, other)) == {}


def test_a_restricted_account_pauses_all_of_whatsapp_until_it_is_over() -> None:
    desk = Desk()
    desk.sending("d")
    desk.sending("sms", channel=Channel.SMS)
    restricted = AccountNews(restricted=True, event="ACCOUNT_RESTRICTION", at=desk.clock.now())
    desk.hear(restricted)
    assert desk.standing_of("d") == (DistributionStatus.PAUSED, "account_restricted")
    assert desk.standing_of("sms") == (DistributionStatus.SENDING, None)
    desk.clock.pass_by(hours=1)
    desk.hear(AccountNews(restricted=False, event="REINSTATE", at=desk.clock.now()))
    assert desk.standing_of("d") == (DistributionStatus.SENDING, None)
    desk.sending("later")
    desk.hear(restricted)
    assert desk.standing_of("later") == (DistributionStatus.SENDING, None)


def test_news_for_nobody_is_dropped() -> None:
    desk = Desk()
    run(desk.listener.hear("nobody", desk.told(PAUSED)))
    assert desk.telemetry.names() == ["news_without_integration"]


def test_limit_and_quality_are_kept() -> None:
    desk = Desk()
    now = desk.clock.now()
    desk.hear(
        LimitNews(limit=None, at=now),
        NumberNews(event="FLAGGED", quality="RED", at=now, source=replace(OURS, phone_number_id="1")),
        NumberNews(event="x", quality="GREEN", at=now, source=replace(OURS, phone_number_id="another")),
        NumberNews(event="x", quality="GREEN", at=now, source=replace(OURS, shown_number="221770000000")),
        LimitNews(limit=250, at=now, source=replace(OURS, shown_number="221770000000")),
        NumberNews(event="THROUGHPUT_UPGRADE", at=now),
    )
    found = run(desk.reputations.get(NUMBER.organisation, NUMBER.phone_number_id))
    assert (found.limit, found.quality) == (DailyLimit(people=None), "RED")


# --------------------------------------------------------------------------------------------------------------- limit


def codes(desk: Desk, people: int) -> list[tuple[str, int | None]]:
    return [(one.code, one.count) for one in run(desk.number.limit_warnings(NUMBER, people))]


def test_more_people_than_the_limit_leaves_is_a_warning() -> None:
    desk = Desk()
    desk.meta.facts = NumberFacts(limit=DailyLimit(people=250))
    assert codes(desk, 250) == []
    assert codes(desk, 251) == [("daily_limit_exceeded", 1)]
    for number in range(10):
        run(desk.people_count.take(NUMBER.organisation, "900", f"p{number}", limit=None, now=desk.clock.now()))
    assert codes(desk, 251) == [("daily_limit_exceeded", 11)]
    assert desk.meta.calls == ["number"]


def test_no_limit_and_an_unknown_one() -> None:
    desk = Desk()
    desk.meta.error = DOWN
    assert codes(desk, 0) == []
    assert codes(desk, 1) == [("template_status_unknown", None)]
    assert codes(desk, 1) == [("template_status_unknown", None)]
    assert desk.meta.calls == ["number"]
    desk.hear(LimitNews(limit=None, at=desk.clock.now()))
    assert codes(desk, 1_000_000) == []


def test_the_number_is_read_anew_after_an_hour_and_that_lifts_a_restriction() -> None:
    desk = Desk()
    desk.meta.facts = NumberFacts(limit=DailyLimit(people=250), can_send="AVAILABLE")
    owner = (NUMBER.organisation, NUMBER.phone_number_id)
    run(desk.reputations.tell(*owner, Told(at=desk.clock.now() - timedelta(days=1), restricted=True)))
    assert run(desk.number.current(NUMBER)).restricted is False
    desk.clock.pass_by(minutes=59)
    run(desk.number.current(NUMBER))
    assert desk.meta.calls == ["number"]
    desk.clock.pass_by(minutes=2)
    run(desk.number.current(NUMBER))
    assert desk.meta.calls == ["number", "number"]
