"""The registered webhooks: what Meta's and Orange's consoles know of an organisation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppRegistration:
    """A sender number and its app's webhook. If `app_secret` is None, no webhook is registered and none is called."""

    organisation: str
    phone_number_id: str
    sender_number: str
    access_token: str = field(repr=False)
    app_secret: str | None = field(repr=False)
    verify_token: str | None = field(repr=False)
    business_account_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRegistration:
    """An application with a webhook for receipts. The token is part of the registered URL."""

    organisation: str
    client_id: str
    receipt_token: str = field(repr=False)


class Registrations(Protocol):
    """Looks up registrations. The simulators ask for every accepted message, so implementations cache."""

    async def whatsapp(self, phone_number_id: str, access_token: str) -> WhatsAppRegistration | None:
        """Return the organisation that uses this number with this token."""
        ...

    async def whatsapp_of(self, organisation: str) -> WhatsAppRegistration | None:
        """Return the number of an organisation, for inbound messages."""
        ...

    async def whatsapp_of_account(self, account: str) -> WhatsAppRegistration | None:
        """Return the organisation of a WhatsApp Business Account, for webhooks about accounts and templates.

        None if no webhook is registered for it.
        """
        ...

    async def numbers_of_account(self, account: str) -> Sequence[WhatsAppRegistration]:
        """Return the numbers of a WhatsApp Business Account. It is empty if the account is not known."""
        ...

    async def sms(self, client_id: str) -> SmsRegistration | None:
        """Return the organisation that uses this application."""
        ...
