"""Integrations on Secrets Manager: one secret an organisation and channel, cached for five minutes."""

from datetime import datetime, timedelta

from shared.aws.codec import decode, encode
from shared.aws.secrets import erase_secret, put_secret, read_secret
from shared.aws.session import Aws
from shared.domain.clock import Clock
from shared.domain.integration import Dhis2Integration, SmsIntegration, WhatsAppIntegration

_CACHED_FOR = timedelta(minutes=5)
_FORCED_EVERY = timedelta(seconds=5)
"""A forced refresh is not repeated sooner: forged webhooks must not run up a bill."""

type Integration = WhatsAppIntegration | SmsIntegration | Dhis2Integration

_NAMES: dict[type[WhatsAppIntegration] | type[SmsIntegration] | type[Dhis2Integration], str] = {
    WhatsAppIntegration: "whatsapp",
    SmsIntegration: "sms",
    Dhis2Integration: "dhis2",
}


class SecretIntegrations:
    """`Integrations`. With `patient`, forced refreshes come at most every five seconds (webhooks); without, at once.

    `key`: the KMS key of the secrets that are made here; None leaves them to the account's own.
    """

    def __init__(self, aws: Aws, prefix: str, clock: Clock, *, patient: bool = False, key: str | None = None) -> None:
        self._key = key
        self._aws = aws
        self._prefix = prefix
        self._clock = clock
        self._patient = patient
        self._cache: dict[str, tuple[datetime, Integration | None]] = {}

    async def whatsapp(self, organisation: str, *, version: int = 0, fresh: bool = False) -> WhatsAppIntegration | None:
        """See `Integrations`."""
        return await self._read(organisation, WhatsAppIntegration, version, fresh=fresh)

    async def sms(self, organisation: str, *, version: int = 0, fresh: bool = False) -> SmsIntegration | None:
        """See `Integrations`."""
        return await self._read(organisation, SmsIntegration, version, fresh=fresh)

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """See `Integrations`."""
        return await self._read(organisation, Dhis2Integration, 0, fresh=True)

    async def put(self, integration: Integration) -> None:
        """See `Integrations`."""
        name = self._name(integration.organisation, type(integration))
        body = encode(integration).decode()

        await self._aws.run(lambda: put_secret(self._aws, name, body, self._key))
        self._cache.pop(name, None)

    async def delete(self, organisation: str, name: str) -> bool:
        """See `Integrations`."""
        full = f"{self._prefix}/{organisation}/{name}"
        self._cache.pop(full, None)

        return await self._aws.run(lambda: erase_secret(self._aws, full))

    async def _read[T: (WhatsAppIntegration, SmsIntegration, Dhis2Integration)](
        self, organisation: str, kind: type[T], version: int, *, fresh: bool
    ) -> T | None:
        name = self._name(organisation, kind)
        now = self._clock.now()
        known = self._cache.get(name)
        if known is not None:
            age = now - known[0]
            integration = known[1]
            old = integration is None or integration.version < version or age > _CACHED_FOR
            forced = fresh and not (self._patient and age < _FORCED_EVERY)
            if not old and not forced and isinstance(integration, kind):
                return integration
            if integration is None and self._patient and age < _FORCED_EVERY:
                return None
        found = await self._aws.run(lambda: self._get(name, kind))
        self._cache[name] = (now, found)
        return found

    def _get[T: (WhatsAppIntegration, SmsIntegration, Dhis2Integration)](self, name: str, kind: type[T]) -> T | None:
        found = read_secret(self._aws, name)
        return decode(found.text, kind) if found is not None else None

    def _name(
        self,
        organisation: str,
        kind: type[WhatsAppIntegration] | type[SmsIntegration] | type[Dhis2Integration],
    ) -> str:
        return f"{self._prefix}/{organisation}/{_NAMES[kind]}"


def number_key(aws: Aws, secret_id: str) -> bytes:
    """The deployment's key for hashing numbers; it never changes."""
    return aws.secrets.get_secret_value(SecretId=secret_id)["SecretString"].encode()
