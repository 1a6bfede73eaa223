"""OAuth tokens of Orange's applications, kept in the process (reference/orange_sms.md, section 1)."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2

from shared.domain.errors import Kind, SendError
from shared.domain.integration import SmsIntegration
from shared.providers.answers import integer, obj, parse, text
from shared.providers.calls import Call
from shared.providers.http import exchange
from shared.providers.orange.errors import error_from_response
from shared.providers.single_flight import SingleFlight

SHORTEST_LIFE = 60
"""Seconds a token is taken to live when Orange does not say."""
EARLY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str = field(repr=False)
    refresh_at: datetime


class Tokens:
    """One token per application, asked for once however many messages wait for it."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str, now: Callable[[], datetime]) -> None:
        self._http = http
        self._url = f"{base_url.rstrip('/')}/oauth/v3/token"
        self._now = now
        self._kept: dict[str, _Token] = {}
        self._flights = SingleFlight()

    async def token(self, integration: SmsIntegration, *, refused: str | None = None) -> str:
        """A token that is not due for renewal and is not `refused`, which Orange has just turned down.

        Of many messages refused together, the first brings a new one and the others find it.
        """
        application = _application(integration)
        async with self._flights.lock(application):
            kept = self._kept.get(application)
            if kept and kept.value != refused and self._now() < kept.refresh_at:
                return kept.value
            new = await self._ask(integration)
            self._kept[application] = new
        return new.value

    async def _ask(self, integration: SmsIntegration) -> _Token:
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
        return _Token(value=value, refresh_at=asked_at + _use_for(life))


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
