"""OAuth tokens of Orange's applications (reference/orange_sms.md, section 1): one for all workers of an organisation.

A worker reads the shared one when it starts, asks Orange when that is due for renewal or was refused, and puts the new
one where the others find it. Of two that ask at once the one whose token lives longer is believed: should a new token
end an older one, which Orange does not say, all soon hold the living one.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx2

from shared.base.caches import LruCache
from shared.base.concurrency import SingleFlight
from shared.integrations.integration import AccessToken, SmsIntegration, TokenStore
from shared.messages.errors import Kind, SendError
from shared.providers.answers import Call, integer, obj, parse, text
from shared.providers.http import exchange
from shared.providers.orange.errors import error_from_response

SHORTEST_LIFE = 60
"""Seconds a token is taken to live when Orange does not say."""

EARLY_SECONDS = 60.0

MOST_PUTS = 3
"""Whoever is overtaken so often keeps its own token: it is as good."""


class Tokens:
    """One token per organisation and application, asked for once however many messages wait for it."""

    def __init__(
        self, http: httpx2.AsyncClient, base_url: str, now: Callable[[], datetime], token_store: TokenStore
    ) -> None:
        self._http = http
        self._url = f"{base_url.rstrip('/')}/oauth/v3/token"
        self._now = now
        self._token_store = token_store
        self._kept: LruCache[tuple[str, str], AccessToken] = LruCache()
        self._flights = SingleFlight()

    async def token(self, integration: SmsIntegration, *, refused: str | None = None) -> str:
        """A token that is not due for renewal and is not `refused`, which Orange has just turned down.

        Of many messages refused together, the first brings a new one and the others find it.
        """
        application = _application(integration)
        key = (integration.organisation, application)
        async with self._flights.lock(key):
            kept = self._kept.get(key)
            if kept is None or not self._is_good(kept, refused):
                kept = await self._shared(integration, application, refused)
                self._kept[key] = kept
        return kept.value

    def _is_good(self, token: AccessToken, refused: str | None) -> bool:
        return token.value != refused and self._now() < token.refresh_at

    async def _shared(self, integration: SmsIntegration, application: str, refused: str | None) -> AccessToken:
        """The token that other workers use, or a new one for them to find."""
        organisation = integration.organisation
        shelved = await self._token_store.read(organisation, application)
        if shelved.token is not None and self._is_good(shelved.token, refused):
            return shelved.token
        new = await self._ask(integration)
        for _ in range(MOST_PUTS):
            if await self._token_store.put(organisation, application, new, version=shelved.version):
                break
            shelved = await self._token_store.read(organisation, application)
            theirs = shelved.token
            if theirs is not None and self._is_good(theirs, refused) and theirs.refresh_at >= new.refresh_at:
                return theirs
        return new

    async def _ask(self, integration: SmsIntegration) -> AccessToken:
        asked_at = self._now()
        pair = f"{integration.client_id}:{integration.client_secret.value}".encode()
        async with exchange(Call.REPEATABLE):
            answer = await self._http.post(
                self._url,
                data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {b64encode(pair).decode()}", "Accept": "application/json"},
            )
        if not answer.is_success:
            raise _every_send_fails(error_from_response(answer.status_code, answer.content, Call.REPEATABLE))
        document = obj(parse(answer.content))
        value = text(document.get("access_token"))
        if not value:
            raise SendError(Kind.RETRY, "token_unreadable")
        life = integer(document.get("expires_in")) or SHORTEST_LIFE
        return AccessToken(value=value, refresh_at=asked_at + _use_for(life))


def _every_send_fails(error: SendError) -> SendError:
    """No token request is about one recipient: what would be this message's fault elsewhere stops here."""
    if error.kind in (Kind.RECIPIENT, Kind.BUG):
        return SendError(Kind.STOP, error.code, "token_invalid")
    return error


def _use_for(life: int) -> timedelta:
    """All but the last minute of a long life, four fifths of a short one."""
    return timedelta(seconds=min(max(life * 0.8, life - EARLY_SECONDS), 10**9))


def _application(integration: SmsIntegration) -> str:
    """A replaced secret is another application: its old token must not outlive it."""
    return hashlib.sha256(f"{integration.client_id}\n{integration.client_secret.value}".encode()).hexdigest()
