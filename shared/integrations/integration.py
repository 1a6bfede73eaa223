"""The settings of an organisation's integrations (Settings > Integrations), and the store for OAuth tokens that its
workers share. One secret in Secrets Manager holds one integration.
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
    """A credential, and when it was last replaced. The API shows only {set, updated_at}."""

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
    """Still accepted for webhook signatures for 24 h after `app_secret` replaced it. Its `updated_at` is when it was
    replaced.
    """
    verify_token: Secret
    business_account_id: str | None
    rate_per_second: int
    default_template: str | None
    version: int
    """When the settings were last changed, in milliseconds since 1970. A sender whose cached settings are older than a
    message's version reads them again.
    """
    account: str = ""
    """A keyed hash of `phone_number_id`. Organisations with the same number share its rate limit by this hash."""
    provider: Provider = META

    @property
    def rate_limit(self) -> RateLimit:
        """The number's rate limit at Meta."""
        return RateLimit(
            organisation=self.organisation,
            channel=Channel.WHATSAPP,
            provider=self.provider,
            account_id=self.phone_number_id,
            account=self.account,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """The price of one segment in the organisation's contract."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsIntegration:
    """One application at an SMS provider. `client_id` identifies the rate limit, which all countries share."""

    organisation: str
    client_id: str
    client_secret: Secret
    sender_name: str
    default_country: str
    senders: Mapping[str, str]
    """Country → "tel:+…", for countries where it differs from the table of countries."""
    rate_per_second: int
    unit_prices: Mapping[str, UnitPrice]
    peak_hours: tuple[tuple[str, str], ...]
    """("08:00", "10:00"), … in the recipients' local time."""
    receipt_addresses: tuple[str, ...]
    """Networks from which receipts are accepted. Empty: receipts are accepted from anywhere."""
    receipt_token: Secret
    """A part of the URL for receipts, because Orange does not sign them."""
    version: int
    account: str = ""
    """A keyed hash of `client_id`. Organisations with the same application share its rate limit by this hash."""
    provider: Provider = ORANGE

    @property
    def rate_limit(self) -> RateLimit:
        """The application's rate limit at its provider, for all its countries together."""
        return RateLimit(
            organisation=self.organisation,
            channel=Channel.SMS,
            provider=self.provider,
            account_id=self.client_id,
            account=self.account,
        )

    def sender_address(self, country: str) -> str | None:
        """The sender address of SMS to `country`, "tel:+2210000"; None if it is unknown (Egypt)."""
        covered = COVERED.get(country)
        return self.senders.get(country) or (covered.sender_address if covered else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhis2Integration:
    """The mapping from DHIS2's tracked entity attributes to a recipient's fields."""

    organisation: str
    attributes: Mapping[str, str]
    """Recipient field → attribute UID."""
    program: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A provider's token. From `refresh_at` (UTC) on, it is renewed; a request begun before arrives before the token
    ends.
    """

    value: str = field(repr=False)
    refresh_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """The stored token. `version` identifies this stored state; it is empty if there is no token store for the
    organisation.
    """

    token: AccessToken | None
    version: str


class TokenStore(Protocol):
    """Stores one token per organisation. `application`: a hash of the credentials that the token belongs to. A token of
    other credentials is not returned.

    Sharing a token saves requests, and sending does not depend on it. So these methods raise nothing: if the store
    cannot be reached, they report it to the operators and act as if it were empty.
    """

    async def read(self, organisation: str, application: str) -> StoredToken:
        """The stored token."""
        ...

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        """Replace the state `version`. False if another worker has replaced it first."""
        ...

    async def open(self, organisation: str) -> None:
        """Create the organisation's store or empty it, because the credentials are new."""
        ...

    async def remove(self, organisation: str) -> None:
        """Delete the organisation's store and its token at once."""
        ...


type Integration = WhatsAppIntegration | SmsIntegration | Dhis2Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettings:
    """An integration as it is stored. `version` identifies this stored state, also after a deletion; it is empty if
    nothing was ever stored."""

    integration: Integration | None
    version: str


class Integrations(Protocol):
    """Stores the organisations' settings with their secrets. `version`: a cached object older than this is read
    again.
    """

    async def whatsapp(
        self, organisation: str, *, version: int = 0, uncached: bool = False
    ) -> WhatsAppIntegration | None:
        """The WhatsApp settings; None if there are none."""
        ...

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        """The SMS settings; None if there are none."""
        ...

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """The DHIS2 settings; None if there are none."""
        ...

    async def stored(self, organisation: str, name: str) -> StoredSettings:
        """The settings `name` (whatsapp, sms, dhis2) as they are now, without a cache."""
        ...

    async def put(self, integration: Integration, *, replacing: str | None = None) -> bool:
        """Store these settings. `replacing`: the version of the stored state that they were made from. If it is no
        longer the current one, nothing is written and the answer is False. None: in place of any state."""
        ...

    async def delete(self, organisation: str, name: str) -> bool:
        """Delete the settings and their secrets at once. True if there were any."""
        ...
