"""POST /{number}/messages: checks, accepts and answers a message, and reports its statuses afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.json_body import parsed_object
from local.simulators.ledger import Accepted
from local.simulators.limits import DailyLimit, PairLimit, Window
from local.simulators.meta import message as messages
from local.simulators.meta.access import bearer, number_id
from local.simulators.meta.accounts import Accounts
from local.simulators.meta.errors import GraphError
from local.simulators.meta.hooks import MetaHooks, Sent, wamid
from local.simulators.meta.inbound import Person
from local.simulators.meta.media import KINDS, MediaStore, why_not_a_card
from local.simulators.meta.message import Message, Picture
from local.simulators.meta.templates import Templates
from local.simulators.outcomes import META, META_DEFAULT, FirstUploads, Once, Outcome
from local.simulators.registrations import WhatsAppRegistration
from local.simulators.settings import TIERS
from local.simulators.stage import Stage

SESSION = timedelta(hours=24)

type NumberOf = Callable[[str, str, str], Awaitable[WhatsAppRegistration | None]]
"""Returns the registration of a phone number ID. The arguments are the ID, the access token and the HTTP method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A message that passed the checks. `text` is what the person reads, if it is known."""

    message: Message
    number: str
    registration: WhatsAppRegistration | None
    media_sha256: str | None
    text: str | None


class Messages:
    """What Meta knows of sender numbers: limits, open sessions, special numbers."""

    def __init__(
        self, stage: Stage, media: MediaStore, templates: Templates, hooks: MetaHooks, number_of: NumberOf
    ) -> None:
        self._stage = stage
        self._number_of = number_of
        self._media = media
        self._templates = templates
        self._hooks = hooks
        self._throughput = Window()
        self._pairs = PairLimit()
        self._days = DailyLimit()
        self._once = Once()
        self._uploads = FirstUploads()
        self._sessions: dict[tuple[str, str], datetime] = {}
        self._people: dict[str, str] = {}
        self._accounts = Accounts()

    async def send(self, request: Request) -> Response:
        """Answer as Meta would. Raises GraphError."""
        checked = await self._checked(request)
        outcome = await self._outcome(checked)
        if self._once.refuses(checked.number, checked.message.wa_id, outcome):
            if outcome.refusal == "429":
                raise GraphError(130429, status=429)
            raise GraphError(int(outcome.refusal), outcome.summary)
        if not outcome.accepted:
            return await self._stage.cut(outcome, request, 200)
        name = await self._accept(checked, outcome)
        if outcome.cut is not None:
            return await self._stage.cut(outcome, request, 200)
        await self._stage.take_time()
        return _answer(checked.message, name, outcome)

    def open_session(self, number: str, sender: Person) -> None:
        """Note that a person wrote: for 24 hours they may get free-form messages, also by user ID."""
        self._accounts.wrote(sender.wa_id)
        account = self._accounts.named(sender.wa_id)
        self._sessions[number, account] = self._stage.clock.now()
        self._people[sender.user_id] = account

    def clear(self) -> None:
        self._throughput.clear()
        self._pairs.clear()
        self._days.clear()
        self._once.clear()
        self._uploads.clear()
        self._sessions.clear()
        self._people.clear()
        self._accounts.clear()

    def _with_number(self, message: Message) -> Message:
        """Replace the number or user ID by the account that it reaches. Only people who have written have a user ID
        here.
        """
        if message.to.startswith("+"):
            return replace(message, wa_id=self._accounts.named(message.wa_id))
        if message.to not in self._people:
            raise GraphError(131026, "No person with this user ID has written to the number")
        return replace(message, wa_id=self._people[message.to])

    async def _checked(self, request: Request) -> Checked:
        token, number = bearer(request), number_id(request)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise GraphError(100, "The request's Content-Type must be application/json")
        body = parsed_object(await request.body())
        if body is None:
            raise GraphError(100, "The request's body is not a JSON object")
        message = self._with_number(messages.read(body))
        registration = await self._number_of(number, token, "post")
        if registration is not None and registration.sender_number.lstrip("+") == message.wa_id:
            raise GraphError(131021)
        text, sha256 = message.text, None
        if message.template is not None:
            account = registration.business_account_id if registration is not None else None
            known_only = self._stage.settings.known_templates_only
            text = self._templates.check(account, message.template, message.picture, known_only=known_only)
        else:
            self._check_session(number, message)
        if message.picture is not None and message.picture.media_id is not None:
            sha256 = self._media.usable(message.picture.media_id, number, self._stage.clock.now()).sha256
        self._check_limits(number, message)
        return Checked(message=message, number=number, registration=registration, media_sha256=sha256, text=text)

    def _check_session(self, number: str, message: Message) -> None:
        opened = self._sessions.get((number, message.wa_id))
        if opened is None or self._stage.clock.now() - opened >= SESSION:
            raise GraphError(131047, "More than 24 hours have passed since the recipient last replied")

    def _check_limits(self, number: str, message: Message) -> None:
        now, settings = self._stage.clock.now(), self._stage.settings
        if not self._throughput.take(number, now, settings.meta_rate_per_second):
            raise GraphError(130429, "Cloud API message throughput has been reached")
        if not self._pairs.take((number, message.wa_id), now, settings.pair_burst):
            raise GraphError(131056)
        limit = TIERS[settings.messaging_limit]
        if message.template is not None and not self._days.take(number, message.wa_id, now, limit):
            raise GraphError(131048, "The number has reached its messaging limit")

    async def _outcome(self, checked: Checked) -> Outcome:
        """Choose what happens to the message.

        Meta fetches a picture by link after the answer. Only the result shows, so the simulator fetches it now.
        """
        special = self._stage.settings.special_numbers
        outcome = META.get(checked.message.wa_id[-4:], META_DEFAULT) if special else META_DEFAULT
        picture = checked.message.picture
        media_id = picture.media_id if picture is not None else None
        if outcome.first_upload and not self._uploads.is_first(checked.number, checked.message.wa_id, media_id or ""):
            return META_DEFAULT
        if picture is None or picture.link is None or await self._picture_is_good(picture):
            return outcome
        return replace(META_DEFAULT, summary="picture by link not usable", receipts=("failed",), failure=131053)

    async def _picture_is_good(self, picture: Picture) -> bool:
        try:
            answer = await self._stage.client.get(picture.link or "")
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return False
        mime_type = answer.headers.get("content-type", "").partition(";")[0]
        return answer.status_code == 200 and mime_type in KINDS and why_not_a_card(answer.content, mime_type) is None

    async def _accept(self, checked: Checked, outcome: Outcome) -> str:
        message, registration, now = checked.message, checked.registration, self._stage.clock.now()
        name = wamid(message.wa_id, str(self._stage.ledger.next_serial()))
        self._stage.ledger.accept(_entry(checked, outcome, name, now))
        if registration is not None:
            sent = Sent(
                registration=registration,
                wamid=name,
                wa_id=message.wa_id,
                key=message.key,
                accepted_at=now,
                category="utility" if message.template is not None else "service",
                failure=outcome.failure,
                user_id=None if message.to.startswith("+") else message.to,
            )
            await self._hooks.follow(outcome, sent)
        return name


def _entry(checked: Checked, outcome: Outcome, name: str, now: datetime) -> Accepted:
    message, template = checked.message, checked.message.template
    parameters = template.parameters if template is not None else ()
    return Accepted(
        provider="meta",
        at=now,
        organisation=checked.registration.organisation if checked.registration is not None else None,
        account=checked.number,
        recipient=f"+{message.wa_id}",
        provider_message_id=name,
        outcome=outcome.summary,
        kind=message.kind,
        key=message.key,
        text=checked.text,
        template=template.name if template is not None else None,
        language=template.language if template is not None else None,
        parameters={label or str(place): value for place, (label, value) in enumerate(parameters, start=1)},
        media_id=message.picture.media_id if message.picture is not None else None,
        media_sha256=checked.media_sha256,
    )


def _answer(message: Message, name: str, outcome: Outcome) -> JSONResponse:
    answer: dict[str, object] = {"id": name}
    if message.template is not None:
        answer["message_status"] = "held_for_quality_assessment" if outcome.held else "accepted"
    return JSONResponse(
        {
            "messaging_product": "whatsapp",
            "contacts": [
                {"input": message.to, "wa_id": message.wa_id}
                if message.to.startswith("+")
                else {"input": message.to, "user_id": message.to}
            ],
            "messages": [answer],
        }
    )
