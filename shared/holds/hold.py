"""Holds: how wide a stop is, what it holds, and when it is tried again (design.md, Stop errors).

A stop error holds its scope and nothing wider: the account, one country, one template in one language, or the cards of
one host. The messages of the scope stay `pending`; all others go on. Everything here is pure.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.messages.payload import Channel

PROBE_LASTS = timedelta(minutes=3)
"""A trial message has an answer by then, or it is lost: then the next trial may begin. Longer than a slot's longest
wait, the send and the claim's lease together."""

FIRST_PROBE = timedelta(minutes=1)

LONGEST_WAIT = timedelta(hours=1)
"""Trials come after 1, 2, 4 … minutes, at most an hour apart."""

LONGEST_CARDS_WAIT = timedelta(minutes=2)
"""A card host has no status that can be read, and a trial costs one request for a card: it is tried more often."""

REMEMBERED = timedelta(days=8)
"""How long a hold that has ended is kept: longer than a distribution whose rows it held may wait for a person."""

FREES_FOR = timedelta(minutes=15)
"""How long after its end a hold's parked messages are still looked for: the index may be behind, and a sender may have
parked one by what it knew a second ago."""


class HoldScope(StrEnum):
    """What a hold covers, in api.md's words."""

    ACCOUNT = "account"
    COUNTRY = "country"
    TEMPLATE = "template"
    CARDS = "cards"


_WIDEST_FIRST = list(HoldScope)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeKey:
    """One scope of an organisation's channel.

    `key`: a country ("SN"), a template in a language ("vaccination_card/fr"), a card host; of the account it is empty,
    or `daily_limit` where only messages outside sessions are concerned. `distribution_id`: only of that distribution's
    messages, where the cause may lie in its own content.
    """

    scope: HoldScope
    key: str = ""
    distribution_id: str = ""

    def __str__(self) -> str:
        return f"{self.scope}#{self.key}#{self.distribution_id}"

    @classmethod
    def parse(cls, text: str) -> "ScopeKey":
        """The scope that `str` wrote."""
        scope, key, distribution_id = text.split("#")
        return cls(scope=HoldScope(scope), key=key, distribution_id=distribution_id)


ACCOUNT = ScopeKey(scope=HoldScope.ACCOUNT)

DAILY_LIMIT = ScopeKey(scope=HoldScope.ACCOUNT, key="daily_limit")
"""Meta's limit of people in a day: it does not concern texts inside a session."""


def country_scope(country: str, distribution_id: str = "") -> ScopeKey:
    """The messages to one country."""
    return ScopeKey(scope=HoldScope.COUNTRY, key=country, distribution_id=distribution_id)


def template_scope(name: str, language: str, distribution_id: str = "") -> ScopeKey:
    """The messages that call one template in one language."""
    return ScopeKey(scope=HoldScope.TEMPLATE, key=f"{name}/{language}", distribution_id=distribution_id)


def cards_scope(host: str, distribution_id: str) -> ScopeKey:
    """The messages of one distribution whose card lies on one host."""
    return ScopeKey(scope=HoldScope.CARDS, key=host, distribution_id=distribution_id)


def scopes_for(
    country: str, template: str | None = None, card_host: str | None = None, distribution_id: str = ""
) -> list[ScopeKey]:
    """All that may hold messages to a country. `template`: the one that they call, with its language ("card/fr");
    `card_host` and `distribution_id`: of a distribution's messages."""
    owners = ("", distribution_id) if distribution_id else ("",)
    scopes = [ACCOUNT, *(country_scope(country, owner) for owner in owners)]
    if template is not None:
        name, _, language = template.rpartition("/")
        scopes += [DAILY_LIMIT, *(template_scope(name, language, owner) for owner in owners)]
    if card_host is not None:
        scopes.append(cards_scope(card_host, distribution_id))
    return scopes


def is_narrower(scope: ScopeKey, than: ScopeKey) -> bool:
    """Whether a stop of the first scope shows that the second one no longer stops anything: the provider looks at the
    account before the country, and at both before the template."""
    return _WIDEST_FIRST.index(scope.scope) > _WIDEST_FIRST.index(than.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHold:
    """Why a run is held: the widest of its scopes that is, as far as release knows."""

    scope: ScopeKey
    reason: str
    since: datetime
    reported_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is known of one scope.

    `generation` rises when the hold is set and when it ends, `changed_at` is that instant. `reason` is one of api.md's
    status reasons. `try_at`: from then on one message may be sent as a probe. `probe`: the message that is under way as
    one, until `probe_until`. `reported_later`: the provider took the messages and refused them afterwards, so its first
    answer to a probe proves nothing.
    """

    held: bool
    reason: str
    since: datetime
    changed_at: datetime
    generation: int
    try_at: datetime
    tries: int = 0
    probe: str | None = None
    probe_until: datetime | None = None
    reported_later: bool = False

    def may_try(self, now: datetime) -> bool:
        """Whether a trial may begin."""
        under_way = self.probe_until is not None and now < self.probe_until
        return self.held and self.try_at <= now and not under_way

    def is_tried_by(self, message_id: str, now: datetime) -> bool:
        """Whether the message is the trial that is under way."""
        return self.probe == message_id and self.probe_until is not None and now < self.probe_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """All scopes of one organisation's channel that are held, or were lately. `revision` rises with every write."""

    organisation: str
    channel: Channel
    scopes: Mapping[str, Hold] = field(default_factory=dict)
    """By `str(ScopeKey)`."""
    generation: int = 0
    check_at: datetime | None = None
    """When the tick looks at them next; None where there is nothing to look at."""
    revision: int = 0

    def of(self, scope: ScopeKey) -> Hold | None:
        """What is known of a scope, held or not."""
        return self.scopes.get(str(scope))

    def holding(self, scopes: Iterable[ScopeKey]) -> tuple[ScopeKey, Hold] | None:
        """The widest of the scopes that is held."""
        found = [(scope, hold) for scope in scopes if (hold := self.of(scope)) is not None and hold.held]
        return min(found, key=lambda one: _WIDEST_FIRST.index(one[0].scope), default=None)

    def generation_of(self, scopes: Iterable[ScopeKey]) -> int:
        """Differs from an earlier answer if one of the scopes was held or freed since."""
        return max((hold.generation for scope in scopes if (hold := self.of(scope)) is not None), default=0)

    def held_scopes(self) -> list[ScopeKey]:
        """Those that are held now, the widest first."""
        held = [ScopeKey.parse(text) for text, hold in self.scopes.items() if hold.held]
        return sorted(held, key=lambda one: (_WIDEST_FIRST.index(one.scope), str(one)))

    def freed_scopes(self, now: datetime) -> list[ScopeKey]:
        """Those whose hold ended a short while ago."""
        return [
            ScopeKey.parse(text)
            for text, hold in self.scopes.items()
            if not hold.held and now < hold.changed_at + FREES_FOR
        ]

    def set(self, scope: ScopeKey, reason: str, now: datetime, *, reported_later: bool = False) -> "Holds":
        """With the scope held. A hold that stands keeps its age; its trial, if any, is over."""
        known = self.of(scope)
        if known is not None and known.held:
            return self.probe_over(scope, reason=reason, reported_later=reported_later or known.reported_later, now=now)
        generation = self.generation + 1
        hold = Hold(
            held=True,
            reason=reason,
            since=now,
            changed_at=now,
            generation=generation,
            try_at=now + FIRST_PROBE,
            reported_later=reported_later,
        )
        return self._with(scope, hold, now, generation=generation)

    def ended(self, scope: ScopeKey, now: datetime) -> "Holds":
        """With the scope free; the same where it is not held."""
        known = self.of(scope)
        if known is None or not known.held:
            return self
        generation = self.generation + 1
        free = dataclasses.replace(
            known, held=False, changed_at=now, generation=generation, probe=None, probe_until=None
        )
        return self._with(scope, free, now, generation=generation)

    def with_probe(self, scope: ScopeKey, message_id: str, now: datetime) -> "Holds":
        """With a message under way that tries the scope. The scope must be held."""
        known = self.scopes[str(scope)]
        longest = LONGEST_CARDS_WAIT if scope.scope is HoldScope.CARDS else LONGEST_WAIT
        pause = min(FIRST_PROBE * 2 ** min(known.tries, 10), longest)
        trying = dataclasses.replace(
            known, probe=message_id, probe_until=now + PROBE_LASTS, tries=known.tries + 1, try_at=now + pause
        )
        return self._with(scope, trying, now)

    def probe_over(
        self, scope: ScopeKey, now: datetime, *, reason: str | None = None, reported_later: bool | None = None
    ) -> "Holds":
        """With no trial under way, and the hold as it stands; the same where nothing would change."""
        known = self.scopes[str(scope)]
        over = dataclasses.replace(
            known,
            probe=None,
            probe_until=None,
            reason=reason or known.reason,
            reported_later=known.reported_later if reported_later is None else reported_later,
        )
        return self if over == known else self._with(scope, over, now)

    def tried_now(self, scopes: Iterable[ScopeKey], now: datetime) -> "Holds":
        """With those of the scopes that are held to be tried at once: a person asked for it, or saved new settings."""
        held = [scope for scope in scopes if (hold := self.of(scope)) is not None and hold.held]
        changed = self
        for scope in held:
            known = changed.scopes[str(scope)]
            waiting = dataclasses.replace(known, try_at=now, tries=0, probe=None, probe_until=None)
            changed = changed._with(scope, waiting, now)
        return changed

    def checked(self, now: datetime, every: timedelta) -> "Holds":
        """After a look at them: the next one, and without what ended long ago."""
        kept = {text: hold for text, hold in self.scopes.items() if hold.held or now < hold.changed_at + REMEMBERED}
        waits = any(hold.held or now < hold.changed_at + FREES_FOR for hold in kept.values())
        return dataclasses.replace(self, scopes=kept, check_at=now + every if waits else None)

    def _with(self, scope: ScopeKey, hold: Hold, now: datetime, generation: int | None = None) -> "Holds":
        return dataclasses.replace(
            self,
            scopes={**self.scopes, str(scope): hold},
            generation=self.generation if generation is None else generation,
            check_at=now,
        )
