"""Integrations on Secrets Manager: one secret an organisation and channel, cached for five minutes."""

from datetime import datetime, timedelta

from shared.base.caches import LruCache
from shared.base.instants import Clock, microseconds
from shared.integrations.integration import Dhis2Integration, SmsIntegration, WhatsAppIntegration
from shared.pacing.quota import Quota
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.secrets import erase_secret, put_secret, read_secret

_CACHED_FOR = timedelta(minutes=5)

_FORCED_EVERY = timedelta(seconds=5)
"""A forced refresh is not repeated sooner: forged webhooks must not run up a bill."""

_MISSES = Quota(calls=50, span=timedelta(seconds=10))
"""How many names without settings one worker looks for, of each kind. Forged webhooks name invented
organisations, each time another one. What is refused unread is refused as any other: Meta repeats it for days, and an
organisation that this worker knows is always looked for."""

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
        self._cache: LruCache[str, tuple[datetime, Integration]] = LruCache()
        self._absent: LruCache[str, datetime] = LruCache()
        self._missed: dict[object, tuple[int, ...]] = {}

    async def whatsapp(
        self, organisation: str, *, version: int = 0, uncached: bool = False
    ) -> WhatsAppIntegration | None:
        """See `Integrations`."""
        return await self._read(organisation, WhatsAppIntegration, version, uncached=uncached)

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        """See `Integrations`."""
        return await self._read(organisation, SmsIntegration, version, uncached=uncached)

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """See `Integrations`."""
        return await self._read(organisation, Dhis2Integration, 0, uncached=True)

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
        self, organisation: str, kind: type[T], version: int, *, uncached: bool
    ) -> T | None:
        name = self._name(organisation, kind)
        now = self._clock.now()
        known = self._cache.get(name)
        if known is not None:
            age, integration = now - known[0], known[1]
            old = integration.version < version or age > _CACHED_FOR
            forced = uncached and not (self._patient and age < _FORCED_EVERY)
            if not old and not forced and isinstance(integration, kind):
                return integration
        elif self._patient and not self._may_look(name, kind, now):
            return None
        found = await self._aws.run(lambda: self._get(name, kind))
        self._remember(name, found, kind, now)
        return found

    def _may_look(self, name: str, kind: object, now: datetime) -> bool:
        """Whether a name that is not known may cost a read. What is not there is looked for once in five seconds;
        and of names that were not there, a worker has looked for only so many lately."""
        absent_at = self._absent.get(name)
        if absent_at is not None and now - absent_at < _FORCED_EVERY:
            return False
        return _MISSES.wait(self._missed.get(kind, ()), microseconds(now)) is None

    def _remember(self, name: str, found: Integration | None, kind: object, now: datetime) -> None:
        """Only what is there is kept as settings: invented names must not push them out."""
        if found is not None:
            self._cache[name] = (now, found)
            self._absent.pop(name, None)
            return
        self._cache.pop(name, None)
        if self._patient:
            self._absent[name] = now
            at = microseconds(now)
            self._missed[kind] = (*_MISSES.recent(self._missed.get(kind, ()), at), at)

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
