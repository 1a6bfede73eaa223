"""The store of shared tokens on Secrets Manager: one secret an organisation, made and erased with its integration.

Its version IDs are a chain (`following`), so that of two workers who replace the same state the second is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from shared.base.events import Telemetry
from shared.integrations.integration import AccessToken, Shelved
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.secrets import ErasureError, erase_secret, following, put_secret, read_secret

_NAME = "orange-token"

_EMPTY = "{}"

_ABSENT = ("ResourceNotFoundException", "InvalidRequestException")
"""Not there, or being deleted."""


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
