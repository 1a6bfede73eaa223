"""Sends one SMS through Orange's API for Africa and the Middle East (reference/orange_sms.md, section 2), and reads an
account's contracts (section 6), which come in two forms.
"""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx2

from shared.base.caches import LruCache
from shared.base.concurrency import SingleFlight
from shared.base.json import JsonObject, JsonValue
from shared.integrations.balances import Balance
from shared.integrations.integration import AccessToken, SmsIntegration, TokenStore
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.payload import Channel, Payload
from shared.policy.gate import earliest_open
from shared.providers.answers import Call, identifier, integer, lost, obj, objects, parse, text
from shared.providers.http import QUEUED_SENDS, SendTime, SendTimes, bearer, exchange, warm_up
from shared.providers.orange.errors import Answer, error_from_answer, error_from_response, read
from shared.recipients.countries import COVERED
from shared.sending.channel import Taken

COUNTRIES = {country.iso3: country.code for country in COVERED.values()}
"""Orange's country codes → ours. A country that is not in the table keeps Orange's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bundle for one country. `expires_at` is None if Orange does not say. `active` is Orange's own status."""

    country: str
    units: int
    expires_at: datetime | None
    active: bool = True

    def is_valid(self, now: datetime) -> bool:
        """Whether the contract can be used. Orange may report ACTIVE after the end date."""
        return self.active and (self.expires_at is None or self.expires_at > now)


def contracts_in(document: JsonValue) -> list[Contract] | None:
    """Every contract of an answer; None if the answer has neither form."""
    if isinstance(document, list):
        return [_contract(row, "expirationDate") for row in objects(document)]
    if not isinstance(document, dict) or not isinstance(document.get("partnerContracts"), dict):
        return None
    services = objects(obj(document["partnerContracts"]).get("contracts"))
    rows = (row for service in services for row in objects(service.get("serviceContracts")))
    return [_contract(row, "expires") for row in rows]


def balances_in(contracts: Iterable[Contract], now: datetime) -> list[Balance]:
    """Per country, the balance of its active, unexpired contracts, in the order of the answer."""
    by_country: dict[str, list[Contract]] = {}
    for contract in contracts:
        by_country.setdefault(contract.country, []).append(contract)
    return [_balance(country, listed, now) for country, listed in by_country.items()]


def what_is_missing(contracts: Iterable[Contract], country: str, now: datetime) -> str | None:
    """`contract_expired` or `balance_empty` if the country has no units left, else None."""
    balance = next((one for one in balances_in(contracts, now) if one.country == country), None)
    if balance is None:
        return "balance_empty"
    if balance.units > 0:
        return None
    return "contract_expired" if balance.ended else "balance_empty"


def _balance(country: str, contracts: list[Contract], now: datetime) -> Balance:
    """The balance of one country. A contract with negative units does not reduce the units of the others."""
    filled = [contract for contract in contracts if contract.units > 0]
    live = [contract for contract in filled if contract.is_valid(now)]
    ends = sorted(contract.expires_at for contract in live or filled if contract.expires_at is not None)
    return Balance(
        country=country,
        units=sum(contract.units for contract in live),
        expires_at=(ends[0] if live else ends[-1]) if ends else None,
        ended=bool(filled) and not live,
    )


def _contract(row: JsonObject, expiry: str) -> Contract:
    country = text(row.get("country")).upper()
    return Contract(
        country=COUNTRIES.get(country, country),
        units=integer(row.get("availableUnits")) or 0,
        expires_at=_instant(text(row.get(expiry))),
        active=(text(row.get("status")) or "ACTIVE").upper() == "ACTIVE",
    )


def _instant(value: str) -> datetime | None:
    """A date in UTC; None if it is invalid. The older form has no zone and is taken as UTC."""
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class OrangeSender:
    """A `ChannelSender`. `base_url` has no version. `now` returns the current instant in UTC."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        base_url: str,
        now: Callable[[], datetime],
        token_store: TokenStore,
        times: SendTimes = QUEUED_SENDS,
    ) -> None:
        self._http = http
        self._times = times
        self._base_url = base_url.rstrip("/")
        self._now = now
        self._tokens = Tokens(http, base_url, now, token_store)

    async def prepare(self, integration: SmsIntegration, payload: Payload) -> str:
        """An OAuth token. If our side cannot send at all, this raises `SendError`, before the message is claimed."""
        sender_address(integration, payload.country)
        await warm_up()
        return await self._tokens.token(integration)

    async def send(self, integration: SmsIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
        """Send and return the receipt ID, the last segment of `resourceURL`. Orange has no field for our key.

        If the token is refused, the message was certainly not sent, so one more call with a new token is safe. A second
        refusal raises a stop.
        """
        time = SendTime(self._times)
        answer = await self._post(integration, payload, prepared, time)
        if answer.status_code == 401 and read(401, answer.content).refuses_token:
            async with time.before_second_try():
                renewed = await self._tokens.token(integration, refused=prepared)
            answer = await self._post(integration, payload, renewed, time)
        if not answer.is_success:
            raise await self._error(integration, payload, read(answer.status_code, answer.content), time)
        receipt_id = _receipt_id(parse(answer.content))
        if not receipt_id:
            raise lost("accepted_without_id", Call.ONCE)
        return Taken(provider_message_id=receipt_id)

    async def contracts(self, integration: SmsIntegration) -> list[Contract]:
        """The account's contracts. Raises `SendError`."""
        token = await self._tokens.token(integration)
        answer = await self._get(token, "/sms/admin/v1/contracts")
        if answer.status_code == 401:
            token = await self._tokens.token(integration, refused=token)
            answer = await self._get(token, "/sms/admin/v1/contracts")
        if not answer.is_success:
            raise error_from_response(answer.status_code, answer.content, Call.REPEATABLE)
        found = contracts_in(parse(answer.content))
        if found is None:
            raise SendError(Kind.RETRY, "contracts_unreadable")
        return found

    async def _error(self, integration: SmsIntegration, payload: Payload, answer: Answer, time: SendTime) -> SendError:
        """The error for an answer. If the answer alone is not clear, the contracts are read.

        - If they cannot be read now, the message is retried later: an empty balance must not make a whole list fail.
        - If Orange has no contracts to show, the answer's own meaning counts.
        - If the answer's code has a reason of its own (50: not subscribed), the contracts count only if one is for this
          country. A missing contract is no reason to buy units.
        """
        error = error_from_answer(answer)
        if not answer.needs_contracts:
            return error
        try:
            async with asyncio.timeout(time.remaining):
                contracts = await self.contracts(integration)
        except TimeoutError:
            return SendError(Kind.RETRY, answer.code)
        except SendError as unread:
            return SendError(Kind.RETRY, answer.code) if unread.kind in (Kind.RETRY, Kind.THROTTLED) else error
        if error.kind is Kind.STOP and all(contract.country != payload.country for contract in contracts):
            return error
        missing = what_is_missing(contracts, payload.country, self._now())
        return SendError(Kind.STOP, answer.code, missing, scope=Scope.COUNTRY) if missing else error

    async def _post(self, integration: SmsIntegration, payload: Payload, token: str, time: SendTime) -> httpx2.Response:
        """Make the call, unless quiet hours have begun since the gate check: a slow claim or a new token takes
        seconds.
        """
        sender = sender_address(integration, payload.country)
        now = self._now()
        if earliest_open(Channel.SMS, payload.country, now) > now:
            raise SendError(Kind.RETRY, "night_has_fallen")
        url = f"{self._base_url}/smsmessaging/v1/outbound/{quote(sender, safe='')}/requests"
        headers = bearer(token)
        async with exchange(Call.ONCE, time.remaining):
            body = _body(integration, payload, sender)
            return await self._http.post(url, json=body, headers=headers, timeout=time.limits)

    async def _get(self, token: str, path: str) -> httpx2.Response:
        headers = bearer(token)
        async with exchange(Call.REPEATABLE):
            return await self._http.get(f"{self._base_url}{path}", headers=headers)


def sender_address(integration: SmsIntegration, country: str) -> str:
    """The country's sender address. Raises `SendError` of kind stop if it is unknown (Egypt)."""
    address = integration.sender_address(country)
    if not address:
        raise SendError(Kind.STOP, f"no_sender_address/{country}", "sender_name_not_approved", scope=Scope.COUNTRY)
    return address


def _body(integration: SmsIntegration, payload: Payload, sender: str) -> dict[str, object]:
    """The request's body as documented: one recipient, as a string."""
    return {
        "outboundSMSMessageRequest": {
            "address": f"tel:{payload.to}",
            "senderAddress": sender,
            "senderName": integration.sender_name,
            "outboundSMSTextMessage": {"message": payload.text},
        }
    }


def _receipt_id(document: JsonValue) -> str:
    """The receipt ID; empty if the answer has none."""
    request = obj(obj(document).get("outboundSMSMessageRequest"))
    url = text(request.get("resourceURL")) or text(obj(request.get("resourceReference")).get("resourceURL"))
    before, _, last = url.rstrip("/").rpartition("/requests/")
    return identifier(last.rpartition("/")[2]) if before else ""


PATIENCE_SECONDS = 8.0
"""The longest wait for the contracts, because a person waits for the plan or the page, and the HTTP API for 30 s at
most.
"""


class OrangeBalances:
    """`Balances` at Orange. It reads the contracts each time, because they change with every message."""

    def __init__(
        self, orange: OrangeSender, now: Callable[[], datetime], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._orange = orange
        self._now = now
        self._patience = patience

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        try:
            async with asyncio.timeout(self._patience):
                contracts = await self._orange.contracts(integration)
        except TimeoutError:
            raise SendError(Kind.RETRY, "contracts_late") from None
        return balances_in(contracts, self._now())


# OAuth tokens of Orange's applications (reference/orange_sms.md, section 1). All workers of an organisation share one.
#
# A worker first reads the stored token. It asks Orange for a new one if the stored one is due for renewal or was
# refused, and stores the new one for the others. If two workers ask at once, the token that lives longer is kept.
# Orange does not say whether a new token ends the old one; with this rule, all workers soon have the valid one.


SHORTEST_LIFE = 60
"""The life of a token in seconds if Orange does not say."""

EARLY_SECONDS = 60.0

MOST_PUTS = 3
"""If other workers replace the stored token this many times, the worker keeps its own token, which is valid too."""


class Tokens:
    """One token per organisation and application. Messages that need a token at the same time cause one request."""

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
        """A token that is not due for renewal and is not `refused`, the one that Orange has just refused.

        If many messages were refused together, the first gets a new token and the others use it.
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
        """The token that other workers use, or a new one that they will use."""
        organisation = integration.organisation
        stored = await self._token_store.read(organisation, application)
        if stored.token is not None and self._is_good(stored.token, refused):
            return stored.token
        new = await self._ask(integration)
        for _ in range(MOST_PUTS):
            if await self._token_store.put(organisation, application, new, version=stored.version):
                break
            stored = await self._token_store.read(organisation, application)
            theirs = stored.token
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
    """A token request is not about one recipient: an error that elsewhere concerns one message stops all messages
    here.
    """
    if error.kind in (Kind.RECIPIENT, Kind.BUG):
        return SendError(Kind.STOP, error.code, "token_invalid")
    return error


def _use_for(life: int) -> timedelta:
    """How long to use a token: all but the last minute of a long life, four fifths of a short one."""
    return timedelta(seconds=min(max(life * 0.8, life - EARLY_SECONDS), 10**9))


def _application(integration: SmsIntegration) -> str:
    """A hash of client ID and secret. After the secret is replaced, a token of the old secret is no longer found."""
    return hashlib.sha256(f"{integration.client_id}\n{integration.client_secret.value}".encode()).hexdigest()
