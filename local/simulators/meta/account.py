"""What Meta tells of an account rather than of a message: templates, restrictions, limits, quality. reference §5.5."""

from collections.abc import Mapping

from local.simulators.meta.hooks import Event, MetaHooks
from local.simulators.meta.templates import Template
from local.simulators.registrations import WhatsAppRegistration
from local.simulators.stage import Stage

FIELDS = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "account_update",
        "account_alerts",
        "business_capability_update",
        "phone_number_quality_update",
        "phone_number_name_update",
    }
)
_PAUSED = {"title": "FIRST_PAUSE", "description": "Your WhatsApp message template has been paused for 3 hours."}


class AccountUpdate:
    """Calls the webhook of the organisation whose account it is, if there is one with an app secret."""

    def __init__(self, stage: Stage, hooks: MetaHooks) -> None:
        self._stage = stage
        self._hooks = hooks

    async def reviewed(self, account: str, template: Template) -> None:
        """The review is over, a moment after the answer."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None and self._stage.settings.template_webhooks:
            self._stage.background.start(self._later(registration, template))

    async def status(self, account: str, template: Template) -> None:
        """The template stands as it stands now."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None:
            self._tell_status(registration, template)

    async def category(self, account: str, template: Template, previous: str) -> None:
        """The template was moved to another category."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None:
            value = {**_named(template), "previous_category": previous, "new_category": template.category}
            self.tell(registration, "template_category_update", value)

    def tell(
        self, registration: WhatsAppRegistration, field: str, value: Mapping[str, object], account: str | None = None
    ) -> None:
        """One change, as given; `account`: another one's, which has the same app and so the same address. Without an
        app secret nothing is told: the product could not verify it."""
        if registration.app_secret is not None:
            event = Event(
                registration=registration,
                provider_message_id="",
                status=field,
                value=dict(value),
                field=field,
                account=account,
            )
            self._hooks.put(event)

    async def _later(self, registration: WhatsAppRegistration, template: Template) -> None:
        await self._stage.clock.sleep(self._stage.settings.delivered_delay)
        self._tell_status(registration, template)

    def _tell_status(self, registration: WhatsAppRegistration, template: Template) -> None:
        value = {
            "event": template.status,
            **_named(template),
            "message_template_category": template.category,
            "reason": "INVALID_FORMAT" if template.status == "REJECTED" else "NONE",
        }
        value |= {"other_info": _PAUSED} if template.status == "PAUSED" else {}
        self.tell(registration, "message_template_status_update", value)


def _named(template: Template) -> dict[str, object]:
    return {
        "message_template_id": int(template.template_id),
        "message_template_name": template.name,
        "message_template_language": template.language.replace("_", "-"),  # as Meta's samples write it
    }
