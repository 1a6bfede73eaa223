"""Secrets Manager: integrations, shared tokens, and how secrets are made and erased at run time. None of them is ever
deleted on AWS: it is overwritten.

Secrets Manager deletes a secret some time after it was told to, also where no recovery is wanted. Until then it refuses
to make or to change one by that name (InvalidRequestException), and settings that are saved right after they were
deleted would be lost. An erased secret stays, and holds one word.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from shared.base.caches import LruCache
from shared.base.events import Telemetry
from shared.base.instants import Clock, microseconds
from shared.integrations.integration import AccessToken, Dhis2Integration, Shelved, SmsIntegration, WhatsAppIntegration
from shared.pacing.quota import Quota
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode

ERASED = "erased"
"""What an erased secret holds. Every other one holds JSON."""

_TRIES = 3

_ABSENT = ("ResourceNotFoundException", "InvalidRequestException")
"""Not there; or an operator has deleted it, and it may still be restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A secret's current version."""

    text: str = field(repr=False)
    version: str


class ErasureError(Exception):
    """Another worker changed the secret each time that it was to be erased."""


def read_secret(aws: Aws, name: str) -> Kept | None:
    """None where there is none, or where it was erased."""
    found = _current(aws, name)
    return None if found is None or found.text == ERASED else found


def put_secret(aws: Aws, name: str, text: str, key: str | None) -> None:
    """Replace what is there, erased or not. Where nothing is, make it under a KMS key (None: the account's own). Of two
    first puts at once the one that comes second replaces the other's."""
    try:
        aws.secrets.put_secret_value(SecretId=name, SecretString=text)
    except aws.secrets.exceptions.ResourceNotFoundException:
        try:
            _create(aws, name, text, key)
        except aws.secrets.exceptions.ResourceExistsException:
            aws.secrets.put_secret_value(SecretId=name, SecretString=text)


def erase_secret(aws: Aws, name: str) -> bool:
    """Overwrite it, and say whether there was something. Twice, because the version before the current one can be read
    too. Repeated, it does the same again: the one before may have been killed in between.

    Raises ErasureError where workers who replace it by `following` came first each time.
    """
    there = False
    for _ in range(_TRIES):
        found = _current(aws, name)
        if found is None:
            return there
        there = there or found.text != ERASED
        first = following(found.version)
        try:
            for version in (first, following(first)):
                aws.secrets.put_secret_value(SecretId=name, SecretString=ERASED, ClientRequestToken=version)
        except aws.secrets.exceptions.ResourceExistsException:
            continue
        return there
    raise ErasureError(f"not erased in {_TRIES} tries")


def following(version: str) -> str:
    """The version that comes after `version`, for writers who replace what they have read. Of two who replace the same
    version Secrets Manager refuses the second, which makes a put conditional where the service knows no conditions."""
    return hashlib.sha256(version.encode()).hexdigest()


def _current(aws: Aws, name: str) -> Kept | None:
    try:
        found = aws.secrets.get_secret_value(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
    return Kept(text=found["SecretString"], version=found["VersionId"])


def _create(aws: Aws, name: str, text: str, key: str | None) -> None:
    if key is None:
        aws.secrets.create_secret(Name=name, SecretString=text)
    else:
        aws.secrets.create_secret(Name=name, SecretString=text, KmsKeyId=key)


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


# The store of shared tokens on Secrets Manager: one secret an organisation, made and erased with its integration.
#
# Its version IDs are a chain (`following`), so that of two workers who replace the same state the second is refused.


_NAME = "orange-token"

_EMPTY = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    application: str
    value: str = field(repr=False)
    refresh_at: datetime


class SecretTokenStore:
    """`TokenStore`. Workers only replace what lies there; the API alone makes and deletes the secret."""

    def __init__(self, aws: Aws, prefix: str, telemetry: Telemetry, key: str | None = None) -> None:
        """`key` as in `SecretIntegrations`."""
        self._key = key
        self._aws = aws
        self._prefix = prefix
        self._telemetry = telemetry

    async def read(self, organisation: str, application: str) -> Shelved:
        """See `TokenStore`."""
        name, nothing = self._name(organisation), Shelved(token=None, version="")

        def get() -> Shelved:
            found = read_secret(self._aws, name)
            if found is None:
                return nothing
            return Shelved(token=_token(found.text, application), version=found.version)

        return await self._tried(organisation, get, nothing)

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        """See `TokenStore`."""
        if not version:
            return True
        kept = _Kept(application=application, value=token.value, refresh_at=token.refresh_at)
        body = encode(kept).decode()

        def replace() -> bool:
            try:
                self._aws.secrets.put_secret_value(
                    SecretId=self._name(organisation), SecretString=body, ClientRequestToken=following(version)
                )
            except self._aws.secrets.exceptions.ResourceExistsException:
                return False
            return True

        return await self._tried(organisation, replace, otherwise=True)

    async def open(self, organisation: str) -> None:
        """See `TokenStore`."""
        name = self._name(organisation)

        def empty() -> None:
            put_secret(self._aws, name, _EMPTY, self._key)

        await self._tried(organisation, empty, None)

    async def remove(self, organisation: str) -> None:
        """See `TokenStore`."""

        def erase() -> None:
            erase_secret(self._aws, self._name(organisation))

        await self._tried(organisation, erase, None)

    async def _tried[T](self, organisation: str, call: Callable[[], T], otherwise: T) -> T:
        try:
            return await self._aws.run(call)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _ABSENT:
                self._telemetry.warning_event("token_store_unreachable", organisation=organisation, error=code)
        except (BotoCoreError, ErasureError) as error:
            self._telemetry.warning_event(
                "token_store_unreachable", organisation=organisation, error=type(error).__name__
            )
        return otherwise

    def _name(self, organisation: str) -> str:
        return f"{self._prefix}/{organisation}/{_NAME}"


def _token(text: str, application: str) -> AccessToken | None:
    try:
        kept = decode(text, _Kept)
    except msgspec.MsgspecError:
        return None
    return AccessToken(value=kept.value, refresh_at=kept.refresh_at) if kept.application == application else None
