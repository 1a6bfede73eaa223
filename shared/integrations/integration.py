"""What an organisation's administrator pasted under Settings > Integrations. One secret holds one of these, whole.

Access tokens that the workers of an organisation share, and where they lie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from shared.messages.payload import META, ORANGE, Channel, Provider
from shared.pacing.rate_limit import RateLimit
from shared.recipients.countries import COVERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A credential and when it was last replaced. Shown outside as {set, updated_at} only."""

    value: str = field(repr=False)
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppIntegration:
    """A sender number of the WhatsApp Business Platform. `rate_per_second` is Meta's throughput of the number."""

    organisation: str
    phone_number_id: str
    sender_number: str
    access_token: Secret
    app_secret: Secret | None
    previous_app_secret: Secret | None
    """Still signs webhooks for 24 h after `app_secret` replaced it; its `updated_at` is the instant of replacement."""
    verify_token: Secret
    business_account_id: str | None
    rate_per_second: int
    default_template: str | None
    version: int
    """Milliseconds since 1970 of the last change: a sender whose cached copy is older than a message's reads anew."""
    account: str = ""
    """A keyed hash of `phone_number_id`, under which organisations share the number's rate."""
    provider: Provider = META

    @property
    def rate_limit(self) -> RateLimit:
        """The number's own budget at Meta."""
        return RateLimit(
            organisation=self.organisation,
            channel=Channel.WHATSAPP,
            provider=self.provider,
            account_id=self.phone_number_id,
            account=self.account,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """What one segment costs, as the organisation's contract says."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsIntegration:
    """One application at an SMS provider. `client_id` names the lane: its rate is shared by all countries."""

    organisation: str
    client_id: str
    client_secret: Secret
    sender_name: str
    default_country: str
    senders: Mapping[str, str]
    """Country → "tel:+…" where it differs from the country table's."""
    rate_per_second: int
    unit_prices: Mapping[str, UnitPrice]
    peak_hours: tuple[tuple[str, str], ...]
    """("08:00", "10:00"), … in the recipients' zones."""
    receipt_addresses: tuple[str, ...]
    """Networks from which receipts are taken; empty: from anywhere."""
    receipt_token: Secret
    """Stands in the path of the receipts' URL, because Orange signs nothing."""
    version: int
    account: str = ""
    """A keyed hash of `client_id`, under which organisations share the application's rate."""
    provider: Provider = ORANGE

    @property
    def rate_limit(self) -> RateLimit:
        """The application's budget at its provider: all its countries together."""
        return RateLimit(
            organisation=self.organisation,
            channel=Channel.SMS,
            provider=self.provider,
            account_id=self.client_id,
            account=self.account,
        )

    def sender_address(self, country: str) -> str | None:
        """The pseudo-number that texts in `country` come from, "tel:+2210000"; None where nobody knows it (Egypt)."""
        covered = COVERED.get(country)
        return self.senders.get(country) or (covered.sender_address if covered else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhis2Integration:
    """Which tracked entity attribute holds which field of a recipient."""

    organisation: str
    attributes: Mapping[str, str]
    """Recipient field → attribute UID."""
    program: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A provider's token. `refresh_at` (UTC) is early enough for a request that is under way to arrive in time."""

    value: str = field(repr=False)
    refresh_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """What lies on a shelf. `version` names this state of it; empty where there is no shelf."""

    token: AccessToken | None
    version: str


class TokenStore(Protocol):
    """One token for each organisation. `application` is a hash of the credentials that a token was got with: one of
    other credentials is nobody's.

    Sharing saves requests; sending does not depend on it. So nothing here raises: a shelf that cannot be reached is
    reported to the operators and is empty.
    """

    async def read(self, organisation: str, application: str) -> Shelved:
        """What lies there now."""
        ...

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        """Replace the state `version`; False where another worker has replaced it first."""
        ...

    async def open(self, organisation: str) -> None:
        """Make the shelf, or empty it: the credentials are new."""
        ...

    async def remove(self, organisation: str) -> None:
        """Delete the shelf and what lies there, at once."""
        ...


class Integrations(Protocol):
    """The organisations' settings, secrets included. `version`: a copy older than this is read anew."""

    async def whatsapp(
        self, organisation: str, *, version: int = 0, uncached: bool = False
    ) -> WhatsAppIntegration | None:
        """None where it is not set."""
        ...

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        """None where it is not set."""
        ...

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """None where it is not set."""
        ...

    async def put(self, integration: WhatsAppIntegration | SmsIntegration | Dhis2Integration) -> None:
        """Keep it, replacing what was there."""
        ...

    async def delete(self, organisation: str, name: str) -> bool:
        """Forget it, its secrets at once; says whether there was one."""
        ...
