"""The use cases of the API, except making distributions."""

import secrets
from functools import cached_property, partial
from typing import Any, Protocol

from shared.app.container.reading import Reading, ReadingAdapters
from shared.app.container.sending import TEST_CHAIN, Sms, SmsAdapters, WhatsApp, WhatsAppAdapters
from shared.campaigns.control import Control, ControlDeps
from shared.campaigns.samples import Samples
from shared.exports.exporting import ExportDeps, Exports
from shared.integrations.administration import Administration, AdministrationDeps
from shared.integrations.health import SmsHealth, WhatsAppHealth, WhatsAppHealthDeps
from shared.integrations.integration import SmsIntegration, TokenStore, WhatsAppIntegration
from shared.messages.cancel import MessageCancels
from shared.messages.single import MessageDeps, ResendDeps, Resends, SingleSends
from shared.policy.consents import Consents, Numbers
from shared.policy.erasure import Erasures
from shared.policy.gate_check import GateCheck
from shared.recipients.lookups import CallCounts, Lookups
from shared.sending.send import SendStep
from shared.sending.test_send import SendTest, SendTestDeps
from shared.statistics.reading import CampaignList, StatisticsReader


class ApiAdapters(ReadingAdapters, SmsAdapters, WhatsAppAdapters, Protocol):
    """What the API needs in addition to reading and test sends."""

    @property
    def call_counts(self) -> CallCounts:
        """The latest look-ups of each caller."""

    @property
    def token_store(self) -> TokenStore:
        """The access tokens that workers share."""


class Api[A: ApiAdapters = ApiAdapters](Reading[A], Sms[A], WhatsApp[A]):
    """The API's use cases."""

    @cached_property
    def whatsapp_health(self) -> WhatsAppHealth:
        """GET /v1/integrations/whatsapp/health."""
        on = self.adapters
        return WhatsAppHealth(
            WhatsAppHealthDeps(
                templates=self.templates,
                number=self.number,
                number_statuses=on.number_statuses,
                people=on.people_count,
                subscriptions=on.meta,
                clock=on.clock,
            )
        )

    @cached_property
    def sms_health(self) -> SmsHealth:
        """GET /v1/integrations/sms/health."""
        return SmsHealth(self.balances, self.adapters.clock)

    @cached_property
    def administration(self) -> Administration:
        """Settings > Integrations."""
        on = self.adapters
        return Administration(
            AdministrationDeps(
                integrations=on.integrations,
                templates=self.templates,
                tokens=on.token_store,
                holding=self.holding,
                members=self.members,
                number_key=on.number_key,
                draw=partial(secrets.token_urlsafe, 32),
                clock=on.clock,
            )
        )

    @cached_property
    def single_sends(self) -> SingleSends:
        """POST /v1/messages."""
        on = self.adapters
        return SingleSends(
            MessageDeps(
                log=on.log,
                plans=on.plans,
                eligibility=self.eligibility,
                settings=self.setting_reader,
                rate_limits=on.rate_limits,
                queue=self.ending_queue(),
                status_writer=self.status_writer(),
                clock=on.clock,
            )
        )

    @cached_property
    def statistics(self) -> StatisticsReader:
        """GET /v1/statistics and a campaign's."""
        on = self.adapters
        return StatisticsReader(on.sums, self.summing, on.clock)

    @cached_property
    def campaigns(self) -> CampaignList:
        """GET /v1/campaigns."""
        return CampaignList(self.adapters.sums, self.summing)

    @cached_property
    def samples(self) -> Samples:
        """GET /v1/distributions/{distribution_id}/samples."""
        on = self.adapters
        return Samples(on.distributions, on.plans, on.clock)

    @cached_property
    def control(self) -> Control:
        """Confirm, pause, resume, cancel."""
        on = self.adapters
        return Control(
            ControlDeps(
                distributions=on.distributions,
                holding=self.holding,
                tasks=on.tasks,
                schedules=on.schedules,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def numbers(self) -> Numbers:
        """Finds people by their number."""
        return Numbers(self.adapters.integrations, self.adapters.number_key)

    @cached_property
    def resends(self) -> Resends:
        """POST /v1/messages/{message_id}/resend."""
        on = self.adapters
        return Resends(
            ResendDeps(
                log=on.log,
                distributions=on.distributions,
                plans=on.plans,
                integrations=on.integrations,
                gate_check=GateCheck(on.holds, on.people, on.log, self.daily_limits),
                enqueue_now=self.enqueue_now(),
                status_writer=self.status_writer(),
                clock=on.clock,
            )
        )

    @cached_property
    def message_cancels(self) -> MessageCancels:
        """POST /v1/messages/{message_id}/cancel."""
        return MessageCancels(self.adapters.log, self.status_writer(), self.adapters.clock)

    @cached_property
    def erasures(self) -> Erasures:
        """POST /v1/erasures."""
        on = self.adapters
        return Erasures(self.numbers, self.identities, on.people, on.tasks, on.clock)

    @cached_property
    def consents(self) -> Consents:
        """Consent."""
        on = self.adapters
        return Consents(on.people, on.integrations, on.number_key, on.clock)

    @cached_property
    def exports(self) -> Exports:
        """POST /v1/exports and GET /v1/exports/{export_id}."""
        on = self.adapters
        return Exports(
            ExportDeps(
                store=on.export_store,
                files=on.export_files,
                distributions=on.distributions,
                tasks=on.tasks,
                telemetry=on.telemetry,
                clock=on.clock,
            )
        )

    @cached_property
    def lookups(self) -> Lookups:
        """Limits look-ups by number."""
        on = self.adapters
        return Lookups(on.call_counts, on.number_key, on.telemetry, on.clock)

    @cached_property
    def send_test(self) -> SendTest:
        """Test sends."""
        on, status_writer = self.adapters, self.status_writer()
        deps = SendTestDeps(
            log=on.log,
            rate_limits=on.rate_limits,
            status_writer=status_writer,
            number_key=on.number_key,
            clock=on.clock,
        )
        return SendTest(deps)

    @cached_property
    def sms_test_step(self) -> SendStep[SmsIntegration, Any]:
        """Sends a test SMS."""
        return self.sms_step(TEST_CHAIN)

    @cached_property
    def whatsapp_test_step(self) -> SendStep[WhatsAppIntegration, Any]:
        """Sends a test message by WhatsApp."""
        return self.whatsapp_step(TEST_CHAIN)
