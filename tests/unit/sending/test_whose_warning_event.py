"""Warning events name the organisation whose problem they report, and never another one."""

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any, override

import pytest

from shared.base.events import EVENTS
from shared.campaigns.distribution import Action, DistributionStatus
from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import ORANGE, Channel
from shared.providers.meta import webhook
from shared.providers.orange.receipts import FORMAT
from shared.webhooks.ingress import WebhookIngress
from shared.webhooks.updates import TemplateStatus, TemplateUpdate
from tests.fakes.office import DEMO, WHATSAPP, Office
from tests.fakes.rest import FakeIntegrations, FakeStatusQueue

OF_NO_ORGANISATION = {"crash", "schedule_not_removed"}
"""Events that have no organisation at hand. `task_begun` names a distribution's organisation."""


@pytest.fixture
def office() -> Office:
    return Office()


def reported(office: Office, name: str) -> list[dict[str, Any]]:
    return [fields for event, fields in office.telemetry.events if event == name]


def whose(office: Office, name: str) -> set[str | None]:
    return {fields["organisation"] for fields in reported(office, name)}


def test_every_warning_event_names_its_organisation() -> None:
    silent = {name for name, event in EVENTS.items() if event.is_warning and "organisation" not in event.fields}
    assert silent == OF_NO_ORGANISATION


def test_a_distribution_paused_by_release_is_reported(office: Office) -> None:
    made = office.distribute(250)
    sms = office.integrations.kept.pop((DEMO, "sms"))
    office.do_tasks()
    stopped = {"organisation": DEMO, "distribution_id": made.distribution_id, "reason": "token_invalid"}
    assert reported(office, "distribution_stopped") == [stopped]
    office.integrations.kept[DEMO, "sms"] = sms
    office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    office.do_tasks()
    assert reported(office, "distribution_stopped") == [stopped]


def test_a_distribution_whose_template_was_paused_while_it_waited_is_reported(office: Office) -> None:
    made = office.distribute(250, channel=Channel.WHATSAPP)
    office.integrations.kept[DEMO, "whatsapp"] = replace(WHATSAPP, business_account_id="900")
    for language in ("fr", "en"):
        paused = TemplateUpdate(
            name="vaccination_card", language=language, status=TemplateStatus.PAUSED, at=office.clock.now()
        )
        office.run(office.book.receive(DEMO, "900", paused))
    office.do_tasks()
    assert [(one["organisation"], one["reason"]) for one in reported(office, "distribution_stopped")] == [
        (DEMO, "template_paused")
    ]
    stored = office.run(office.distributions.get(DEMO, made.distribution_id))
    assert stored is not None
    assert stored.status is DistributionStatus.PAUSED


def test_a_pause_that_did_not_happen_is_not_reported(office: Office) -> None:
    """A person cancels between the check and the pause."""
    made = office.distribute(250)

    class CancelledMeanwhile(FakeIntegrations):
        @override
        async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
            await office.control.act(DEMO, made.distribution_id, Action.CANCEL)
            return None

    office.integrations = CancelledMeanwhile()
    office.do_tasks()
    assert reported(office, "distribution_stopped") == []


@pytest.mark.parametrize(
    ("kind", "event"), [(Kind.BUG, "request_refused_as_wrong"), (Kind.RECIPIENT, "send_not_accepted")]
)
def test_a_refused_send_names_its_organisation(office: Office, kind: Kind, event: str) -> None:
    office.single()
    office.provider.answers = [SendError(kind, "400", "provider_rejected")]
    office.deliver(within=timedelta(seconds=10))
    assert whose(office, event) == whose(office, "message_moved") == {DEMO}


def test_a_delivered_message_is_reported_without_its_organisation(office: Office) -> None:
    """Three log lines for each message are paid for by the byte."""
    office.single()
    office.deliver(within=timedelta(seconds=10))
    assert whose(office, "message_moved") == {None}


def door(office: Office) -> WebhookIngress:
    return WebhookIngress(
        office.integrations, FakeStatusQueue(), webhook, {ORANGE: FORMAT}, office.telemetry, office.clock
    )


def test_a_refused_webhook_names_only_a_known_organisation(office: Office) -> None:
    """The name comes from the URL: a caller may write anything there."""
    guessed = "sha256=" + hmac.new(b"guessed", b"{}", hashlib.sha256).hexdigest()
    for organisation in (DEMO, "nobody-here", "22177000123"):
        assert not office.run(door(office).take_whatsapp(organisation, b"{}", guessed))
        assert not office.run(door(office).take_receipts(ORANGE, organisation, "guessed", b"{}", "192.0.2.1"))
    assert [(one["provider"], one["organisation"]) for one in reported(office, "webhook_refused")] == [
        ("meta", DEMO), ("orange", DEMO), *(("meta", None), ("orange", None)) * 2
    ]  # fmt: skip
