"""POST /oauth/v3/token, and the check of a token (reference/orange_sms.md §1)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.orange.errors import OAuthError, OrangeError
from local.simulators.stage import Stage

LIFE = timedelta(seconds=3600)
REVOKED, WRONG_SECRET = "revoked", "wrong-secret"
STALE = "expired-token"
"""A client whose tokens have expired from the start."""
NUMBERS = "numeric-expiry"
"""A client whose `expires_in` is a number, as some users have reported."""
SHORT, SHORT_LIFE = "short-token", timedelta(seconds=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The client of a token, and its end by the stack's clock."""

    client_id: str
    ends_at: datetime


class Tokens:
    """Issues tokens. A client may have several at once, unless `orange_single_token` is set."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tokens: dict[str, Token] = {}

    async def issue(self, request: Request, client_id: str) -> Response:
        """Return the answer to a correct request. `expires_in` is a string, as in Orange's documents, except for one
        client.
        """
        _check_form(request, await request.body())
        if self._stage.settings.orange_single_token:
            self._tokens = {each: token for each, token in self._tokens.items() if token.client_id != client_id}
        now = self._stage.clock.now()
        value = hashlib.sha256(f"{client_id}/{self._stage.ledger.next_serial()}".encode()).hexdigest()
        reported = SHORT_LIFE if client_id == SHORT else LIFE
        self._tokens[value] = Token(client_id=client_id, ends_at=now if client_id == STALE else now + reported)
        seconds = int(reported.total_seconds())
        expires_in = seconds if client_id == NUMBERS else str(seconds)
        return JSONResponse({"token_type": "Bearer", "access_token": value, "expires_in": expires_in})

    def client_of(self, request: Request) -> str:
        """Return the client of the bearer token. Raises OrangeError 401/40, 401/41 or 401/42."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            raise OrangeError("401/40")
        token = self._tokens.get(value)
        if token is None:
            raise OrangeError("401/41")
        if self._stage.clock.now() >= token.ends_at:
            raise OrangeError("401/42")
        return token.client_id

    def clear(self) -> None:
        self._tokens.clear()


def basic_client(request: Request) -> str:
    """Return the client ID of a token request. Raises OrangeError."""
    accept = request.headers.get("accept", "")
    if not any(kind in accept for kind in ("application/json", "application/*", "*/*")):
        raise OrangeError("406/62")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        raise OrangeError("401/40")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OrangeError("401/41") from error
    if not client_id or not secret or client_id == REVOKED:
        raise OrangeError("401/41")
    if secret == WRONG_SECRET:
        description = "The requested service needs credentials, but the ones provided were invalid."
        raise OrangeError("401/41", oauth_error=OAuthError(status=401, error="invalid_client", description=description))
    return client_id


def _check_form(request: Request, body: bytes) -> None:
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise OrangeError("415/68")
    grants = parse_qs(body.decode(errors="replace")).get("grant_type", [])
    if not grants:
        oauth_error = OAuthError(status=400, error="invalid_request", description="Missing grant_type in body")
        raise OrangeError("400/23", oauth_error=oauth_error)
    if grants != ["client_credentials"]:
        oauth_error = OAuthError(status=400, error="unsupported_grant_type", description="Use client_credentials")
        raise OrangeError("400/24", oauth_error=oauth_error)
