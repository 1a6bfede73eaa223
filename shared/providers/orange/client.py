"""Sends one SMS by Orange's API for Africa and the Middle East (reference/orange_sms.md, section 2), and reads what an
account may still send (section 6: two shapes, one list).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import httpx2

from shared.base.json import JsonObject, JsonValue
from shared.integrations.balances import Balance
from shared.integrations.integration import SmsIntegration, TokenStore
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.payload import Channel, Payload
from shared.policy.gate import earliest_open
from shared.providers.answers import Call, identifier, integer, lost, obj, objects, parse, text
from shared.providers.http import QUEUED_SENDS, SendTime, SendTimes, bearer, exchange, warm_up
from shared.providers.orange.errors import Answer, error_from_answer, error_from_response, read
from shared.providers.orange.tokens import Tokens
from shared.recipients.countries import COVERED
from shared.sending.channel import Taken

COUNTRIES = {country.iso3: country.code for country in COVERED.values()}
"""Orange's country codes → ours; one that is not listed stays as Orange writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bundle for one country. `expires_at` None: not said. `active` is Orange's word, which may outlive the date."""

    country: str
    units: int
    expires_at: datetime | None
    active: bool = True

    def is_valid(self, now: datetime) -> bool:
        """Whether it may still be used: a status can read ACTIVE after the date."""
        return self.active and (self.expires_at is None or self.expires_at > now)


def contracts_in(document: JsonValue) -> list[Contract] | None:
    """Every contract of an answer; None if it is no such answer."""
    if isinstance(document, list):
        return [_contract(row, "expirationDate") for row in objects(document)]
    if not isinstance(document, dict) or not isinstance(document.get("partnerContracts"), dict):
        return None
    services = objects(obj(document["partnerContracts"]).get("contracts"))
    rows = (row for service in services for row in objects(service.get("serviceContracts")))
    return [_contract(row, "expires") for row in rows]


def balances_in(contracts: Iterable[Contract], now: datetime) -> list[Balance]:
    """What each country's active, unexpired contracts hold together, in the order of their first mention."""
    by_country: dict[str, list[Contract]] = {}
    for contract in contracts:
        by_country.setdefault(contract.country, []).append(contract)
    return [_balance(country, listed, now) for country, listed in by_country.items()]


def what_is_missing(contracts: Iterable[Contract], country: str, now: datetime) -> str | None:
    """`contract_expired` or `balance_empty` if nothing is left for the country, else None."""
    balance = next((one for one in balances_in(contracts, now) if one.country == country), None)
    if balance is None:
        return "balance_empty"
    if balance.units > 0:
        return None
    return "contract_expired" if balance.ended else "balance_empty"


def _balance(country: str, contracts: list[Contract], now: datetime) -> Balance:
    """Units below zero, as an overdrawn contract may show them, take nothing from another contract's."""
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
    """The older shape gives no zone; Orange's own clock is taken for UTC."""
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class OrangeSender:
    """A `ChannelSender` whose preparation is an OAuth token. `base_url` is without the version; `now` is aware UTC."""

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
        """A token. Whatever makes the send impossible from our side comes out here, before the claim."""
        sender_address(integration, payload.country)
        await warm_up()
        return await self._tokens.token(integration)

    async def send(self, integration: SmsIntegration, payload: Payload, prepared: str, *, key: str) -> Taken:
        """The receipt ID: the last segment of `resourceURL`. Orange takes no key of ours.

        A refused token is a sure rejection, so that one more call with a new token is safe; a second refusal stops.
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
        """What is left to send, country by country. Raises `SendError`."""
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
        """The decision, with a look at the contracts where the answer alone does not settle it.

        Contracts that cannot be had just now leave the message for later: an empty balance must not burn the list.
        Where Orange offers none, the answer's own meaning stands; so does that of a code that says why (50: not
        subscribed), unless the country's own contracts say that it is over: a contract that was never made is no reason
        to buy units.
        """
        error = error_from_answer(answer)
        if not answer.may_have_been_sent:
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
        """The call, unless 21:00 has come since the gate was asked: a slow claim or a new token takes seconds."""
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
    """The country's pseudo-number. Raises `SendError` of kind stop where nobody knows it (Egypt)."""
    address = integration.sender_address(country)
    if not address:
        raise SendError(Kind.STOP, f"no_sender_address/{country}", "sender_name_not_approved", scope=Scope.COUNTRY)
    return address


def _body(integration: SmsIntegration, payload: Payload, sender: str) -> dict[str, object]:
    """Exactly the documented body: one recipient, as a string."""
    return {
        "outboundSMSMessageRequest": {
            "address": f"tel:{payload.to}",
            "senderAddress": sender,
            "senderName": integration.sender_name,
            "outboundSMSTextMessage": {"message": payload.text},
        }
    }


def _receipt_id(document: JsonValue) -> str:
    """Opaque; empty where the answer names none."""
    request = obj(obj(document).get("outboundSMSMessageRequest"))
    url = text(request.get("resourceURL")) or text(obj(request.get("resourceReference")).get("resourceURL"))
    before, _, last = url.rstrip("/").rpartition("/requests/")
    return identifier(last.rpartition("/")[2]) if before else ""


PATIENCE_SECONDS = 8.0
"""A person waits for the plan or the page; an HTTP API waits 30 s."""


class OrangeBalances:
    """Asks for the contracts each time: what is left changes with every message."""

    def __init__(
        self, orange: OrangeSender, now: Callable[[], datetime], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._orange = orange
        self._now = now
        self._patience = patience

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """See `shared.integrations.balances.Balances`."""
        try:
            async with asyncio.timeout(self._patience):
                contracts = await self._orange.contracts(integration)
        except TimeoutError:
            raise SendError(Kind.RETRY, "contracts_late") from None
        return balances_in(contracts, self._now())
