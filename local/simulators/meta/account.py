"""Webhooks about an account: its templates, restrictions, limits and quality (reference/whatsapp.md §5.5)."""

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
    """Posts to the webhook of the account's organisation, if that has an app secret."""

    def __init__(self, stage: Stage, hooks: MetaHooks) -> None:
        self._stage = stage
        self._hooks = hooks

    async def reviewed(self, account: str, template: Template) -> None:
        """Report the template's status after the review, `delivered_delay` seconds after the answer."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None and self._stage.settings.template_webhooks:
            self._stage.background.start(self._later(registration, template))

    async def status(self, account: str, template: Template) -> None:
        """Report the template's present status."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None:
            self._tell_status(registration, template)

    async def category(self, account: str, template: Template, previous: str) -> None:
        """Report that the template was moved to another category."""
        registration = await self._stage.registrations.whatsapp_of_account(account)
        if registration is not None:
            value = {**_named(template), "previous_category": previous, "new_category": template.category}
            self.tell(registration, "template_category_update", value)

    def tell(
        self, registration: WhatsAppRegistration, field: str, value: Mapping[str, object], account: str | None = None
    ) -> None:
        """Report one change, with `value` as given.

        `account` names another account with the same app, and so with the same address. Without an app secret nothing
        is posted, because the product could not verify it.
        """
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
