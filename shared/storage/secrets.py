"""Secrets Manager: integrations, shared tokens, and how secrets are made and erased at run time. We never delete a
secret on AWS; we overwrite it.

Secrets Manager deletes a secret only some time after the call, even without a recovery window. Until then it refuses to
make or change a secret of that name (InvalidRequestException), and settings that are saved right after a deletion would
be lost. An erased secret stays and holds one word.
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
from shared.integrations.integration import (
    AccessToken,
    Dhis2Integration,
    Integration,
    SmsIntegration,
    StoredSettings,
    StoredToken,
    WhatsAppIntegration,
)
from shared.pacing.quota import Quota
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode

ERASED = "erased"
"""The content of an erased secret. Every other secret holds JSON."""

_TRIES = 3

_ABSENT = ("ResourceNotFoundException", "InvalidRequestException")
"""The secret does not exist; or an operator has deleted it, and it may still be restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A secret's current version."""

    text: str = field(repr=False)
    version: str


class ErasureError(Exception):
    """Another worker changed the secret at every attempt to erase it."""


def read_secret(aws: Aws, name: str) -> Kept | None:
    """None: there is no secret, or it was erased."""
    found = current_secret(aws, name)
    return None if found is None or found.text == ERASED else found


def put_secret(aws: Aws, name: str, text: str, key: str | None) -> None:
    """Replace the secret, erased or not. If there is none, make it under the KMS key (None: the account's own). If two
    workers make it at once, the second one replaces the first one's content."""
    try:
        aws.secrets.put_secret_value(SecretId=name, SecretString=text)
    except aws.secrets.exceptions.ResourceNotFoundException:
        try:
            _create(aws, name, text, key)
        except aws.secrets.exceptions.ResourceExistsException:
            aws.secrets.put_secret_value(SecretId=name, SecretString=text)


def replace_secret(aws: Aws, name: str, text: str, version: str, key: str | None = None) -> bool:
    """Replace the secret if `version` is still its current version; make it if `version` is empty. False: another
    worker was first, and nothing was written."""
    try:
        if version:
            aws.secrets.put_secret_value(SecretId=name, SecretString=text, ClientRequestToken=following(version))
        else:
            _create(aws, name, text, key)
    except aws.secrets.exceptions.ResourceExistsException:
        return False
    return True


def erase_secret(aws: Aws, name: str) -> bool:
    """Overwrite the secret. Returns whether there was one. It writes twice, because the previous version can be read
    too. A repeated call writes twice again, because the earlier call may have died in between.

    Raises ErasureError if at every attempt another worker replaced it first (by `following`).
    """
    there = False
    for _ in range(_TRIES):
        found = current_secret(aws, name)
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
    """The version that follows `version`, for writers that replace what they have read. If two replace the same
    version, Secrets Manager refuses the second. So a put is conditional, although the service has no conditions."""
    return hashlib.sha256(version.encode()).hexdigest()


def current_secret(aws: Aws, name: str) -> Kept | None:
    """The current version, also of an erased secret. None: there is no secret."""
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
"""A forced refresh is not repeated sooner, because forged webhooks must not cause costs."""

_MISSES = Quota(calls=50, span=timedelta(seconds=10))
"""How many unknown names one worker looks up, for each kind of settings. Forged webhooks name invented organisations,
each time a new one. A webhook that is refused without a look-up is refused like any other, so Meta repeats it for days.
Settings that this worker knows are always read."""

type _Kind = type[WhatsAppIntegration] | type[SmsIntegration] | type[Dhis2Integration]

_KINDS: dict[str, _Kind] = {"whatsapp": WhatsAppIntegration, "sms": SmsIntegration, "dhis2": Dhis2Integration}

_NAMES: dict[_Kind, str] = {kind: name for name, kind in _KINDS.items()}


class SecretIntegrations:
    """`Integrations`. `patient` True (webhooks): a forced refresh at most every five seconds. False: always at once.

    `key`: the KMS key of the secrets that are made here; None: the account's own.
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
        return await self._read(organisation, WhatsAppIntegration, version, uncached=uncached)

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        return await self._read(organisation, SmsIntegration, version, uncached=uncached)

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        return await self._read(organisation, Dhis2Integration, 0, uncached=True)

    async def stored(self, organisation: str, name: str) -> StoredSettings:
        full = f"{self._prefix}/{organisation}/{name}"
        found = await self._aws.run(lambda: current_secret(self._aws, full))
        if found is None:
            return StoredSettings(integration=None, version="")
        integration = None if found.text == ERASED else decode(found.text, _KINDS[name])
        return StoredSettings(integration=integration, version=found.version)

    async def put(self, integration: Integration, *, replacing: str | None = None) -> bool:
        name = self._name(integration.organisation, type(integration))
        body = encode(integration).decode()

        def write() -> bool:
            if replacing is not None:
                return replace_secret(self._aws, name, body, replacing, self._key)
            put_secret(self._aws, name, body, self._key)
            return True

        written = await self._aws.run(write)
        self._cache.pop(name, None)
        return written

    async def delete(self, organisation: str, name: str) -> bool:
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
        """Whether an unknown name may cost a read. A missing name is looked up once in five seconds, and a worker looks
        up only a limited number of missing names."""
        absent_at = self._absent.get(name)
        if absent_at is not None and now - absent_at < _FORCED_EVERY:
            return False
        return _MISSES.wait(self._missed.get(kind, ()), microseconds(now)) is None

    def _remember(self, name: str, found: Integration | None, kind: object, now: datetime) -> None:
        """Only existing settings are cached as settings: invented names must not displace them."""
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

    def _name(self, organisation: str, kind: _Kind) -> str:
        return f"{self._prefix}/{organisation}/{_NAMES[kind]}"


def number_key(aws: Aws, secret_id: str) -> bytes:
    """The deployment's key for hashing numbers. It never changes."""
    return aws.secrets.get_secret_value(SecretId=secret_id)["SecretString"].encode()


# The store of shared tokens on Secrets Manager: one secret for each organisation, made and erased with its integration.
#
# Its version IDs are a chain (`following`). If two workers replace the same state, the second is refused.


_NAME = "orange-token"

_EMPTY = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    application: str
    value: str = field(repr=False)
    refresh_at: datetime


class SecretTokenStore:
    """`TokenStore`. Workers only replace the content; only the API makes and deletes the secret."""

    def __init__(self, aws: Aws, prefix: str, telemetry: Telemetry, key: str | None = None) -> None:
        """`key` as in `SecretIntegrations`."""
        self._key = key
        self._aws = aws
        self._prefix = prefix
        self._telemetry = telemetry

    async def read(self, organisation: str, application: str) -> StoredToken:
        name, nothing = self._name(organisation), StoredToken(token=None, version="")

        def get() -> StoredToken:
            found = read_secret(self._aws, name)
            if found is None:
                return nothing
            return StoredToken(token=_token(found.text, application), version=found.version)

        return await self._tried(organisation, get, nothing)

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        if not version:
            return True
        kept = _Kept(application=application, value=token.value, refresh_at=token.refresh_at)
        body = encode(kept).decode()

        def replace() -> bool:
            return replace_secret(self._aws, self._name(organisation), body, version)

        return await self._tried(organisation, replace, otherwise=True)

    async def open(self, organisation: str) -> None:
        name = self._name(organisation)

        def empty() -> None:
            put_secret(self._aws, name, _EMPTY, self._key)

        await self._tried(organisation, empty, None)

    async def remove(self, organisation: str) -> None:
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
