"""Who registered which webhook: what Meta's and Orange's consoles would know of an organisation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppRegistration:
    """A number whose app has a webhook. `app_secret` None: nobody registered one, so nothing is called."""

    organisation: str
    phone_number_id: str
    sender_number: str
    access_token: str = field(repr=False)
    app_secret: str | None = field(repr=False)
    verify_token: str | None = field(repr=False)
    business_account_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRegistration:
    """An application whose receipts are called back; the token stands in the URL that was registered."""

    organisation: str
    client_id: str
    receipt_token: str = field(repr=False)


class Registrations(Protocol):
    """Looked up for every accepted message: implementations cache."""

    async def whatsapp(self, phone_number_id: str, access_token: str) -> WhatsAppRegistration | None:
        """The organisation that uses this number with this token."""
        ...

    async def whatsapp_of(self, organisation: str) -> WhatsAppRegistration | None:
        """The number of an organisation, for messages that come in."""
        ...

    async def whatsapp_of_account(self, account: str) -> WhatsAppRegistration | None:
        """The organisation whose WhatsApp Business Account it is, for what is told of accounts and templates; None
        where no webhook is registered for it."""
        ...

    async def numbers_of_account(self, account: str) -> Sequence[WhatsAppRegistration]:
        """The numbers of a WhatsApp Business Account; none where the ID is not known as an account's."""
        ...

    async def sms(self, client_id: str) -> SmsRegistration | None:
        """The organisation that uses this application."""
        ...
