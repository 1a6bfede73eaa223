"""Holds: what a stop error holds, and when the scope is probed again (design.md, Stop errors). Everything here is pure.

A stop error holds only its scope: the account, one country, one template in one language, or the cards of one host. The
messages of the scope stay `pending`; all others go on.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.messages.payload import Channel

PROBE_LASTS = timedelta(minutes=3)
"""A probe has an answer within this time, or it is lost and the next probe may begin. Longer than a slot's longest
wait, the send and the claim's lease together."""

FIRST_PROBE = timedelta(minutes=1)

LONGEST_WAIT = timedelta(hours=1)
"""Probes come after 1, 2, 4 … minutes, at most this far apart."""

LONGEST_CARDS_WAIT = timedelta(minutes=2)
"""A card host has no status that can be read, and a probe costs one request for a card, so it is probed more often."""

REMEMBERED = timedelta(days=8)
"""How long an ended hold is kept: longer than a distribution whose rows it held may wait for a person."""

FREES_FOR = timedelta(minutes=15)
"""How long after the end of a hold its parked messages are looked for. The index may be behind, and a sender may have
parked a message with knowledge that is a second old."""


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

    - `key`: a country ("SN"), a template in a language ("vaccination_card/fr"), or a card host. For the account it is
      empty, or `daily_limit` if only messages outside sessions are held.
    - `distribution_id`: only messages of that distribution, because the cause may be its own content.
    """

    scope: HoldScope
    key: str = ""
    distribution_id: str = ""

    def __str__(self) -> str:
        return f"{self.scope}#{self.key}#{self.distribution_id}"

    @classmethod
    def parse(cls, text: str) -> "ScopeKey":
        """The scope from the text that `str` made."""
        scope, key, distribution_id = text.split("#")
        return cls(scope=HoldScope(scope), key=key, distribution_id=distribution_id)


ACCOUNT = ScopeKey(scope=HoldScope.ACCOUNT)

DAILY_LIMIT = ScopeKey(scope=HoldScope.ACCOUNT, key="daily_limit")
"""Meta's limit of people in a day. It does not apply to texts inside a session."""


def country_scope(country: str, distribution_id: str = "") -> ScopeKey:
    """The messages to one country."""
    return ScopeKey(scope=HoldScope.COUNTRY, key=country, distribution_id=distribution_id)


def template_scope(name: str, language: str, distribution_id: str = "") -> ScopeKey:
    """The messages that use one template in one language."""
    return ScopeKey(scope=HoldScope.TEMPLATE, key=f"{name}/{language}", distribution_id=distribution_id)


def cards_scope(host: str, distribution_id: str) -> ScopeKey:
    """The messages of one distribution whose cards are on one host."""
    return ScopeKey(scope=HoldScope.CARDS, key=host, distribution_id=distribution_id)


def scopes_for(
    country: str, template: str | None = None, card_host: str | None = None, distribution_id: str = ""
) -> list[ScopeKey]:
    """All scopes that may hold messages to a country. `template`: the template that they use, with its language
    ("card/fr"). `card_host` and `distribution_id`: for messages of a distribution."""
    owners = ("", distribution_id) if distribution_id else ("",)
    scopes = [ACCOUNT, *(country_scope(country, owner) for owner in owners)]
    if template is not None:
        name, _, language = template.rpartition("/")
        scopes += [DAILY_LIMIT, *(template_scope(name, language, owner) for owner in owners)]
    if card_host is not None:
        scopes.append(cards_scope(card_host, distribution_id))
    return scopes


def is_narrower(scope: ScopeKey, than: ScopeKey) -> bool:
    """Whether a stop error of `scope` proves that `than` no longer stops anything. The provider checks the account
    before the country, and both before the template."""
    return _WIDEST_FIRST.index(scope.scope) > _WIDEST_FIRST.index(than.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHold:
    """Why a run is held: the widest of its held scopes, as far as release knows."""

    scope: ScopeKey
    reason: str
    since: datetime
    reported_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is known of one scope.

    - `generation`: rises when the hold is set and when it ends; `changed_at` is that instant.
    - `reason`: one of api.md's status reasons.
    - `try_at`: from then on one message may be sent as a probe.
    - `probe`: the ID of the message that probes now, until `probe_until`.
    - `reported_later`: the provider took the messages and refused them later, so its first answer to a probe proves
      nothing.
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
        """Whether a probe may begin."""
        under_way = self.probe_until is not None and now < self.probe_until
        return self.held and self.try_at <= now and not under_way

    def is_tried_by(self, message_id: str, now: datetime) -> bool:
        """Whether the message is the current probe."""
        return self.probe == message_id and self.probe_until is not None and now < self.probe_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """All scopes of one organisation's channel that are held or were held lately. `revision` rises with every write."""

    organisation: str
    channel: Channel
    scopes: Mapping[str, Hold] = field(default_factory=dict)
    """By `str(ScopeKey)`."""
    generation: int = 0
    check_at: datetime | None = None
    """When the tick looks at them next; None: there is nothing to look at."""
    revision: int = 0

    def of(self, scope: ScopeKey) -> Hold | None:
        """What is known of a scope, held or not."""
        return self.scopes.get(str(scope))

    def holding(self, scopes: Iterable[ScopeKey]) -> tuple[ScopeKey, Hold] | None:
        """The widest of these scopes that is held; None: none of them is."""
        found = [(scope, hold) for scope in scopes if (hold := self.of(scope)) is not None and hold.held]
        return min(found, key=lambda one: _WIDEST_FIRST.index(one[0].scope), default=None)

    def generation_of(self, scopes: Iterable[ScopeKey]) -> int:
        """Differs from an earlier answer if one of the scopes was held or released since."""
        return max((hold.generation for scope in scopes if (hold := self.of(scope)) is not None), default=0)

    def held_scopes(self) -> list[ScopeKey]:
        """The scopes that are held now, the widest first."""
        held = [ScopeKey.parse(text) for text, hold in self.scopes.items() if hold.held]
        return sorted(held, key=lambda one: (_WIDEST_FIRST.index(one.scope), str(one)))

    def freed_scopes(self, now: datetime) -> list[ScopeKey]:
        """The scopes whose hold ended less than `FREES_FOR` ago."""
        return [
            ScopeKey.parse(text)
            for text, hold in self.scopes.items()
            if not hold.held and now < hold.changed_at + FREES_FOR
        ]

    def set(self, scope: ScopeKey, reason: str, now: datetime, *, reported_later: bool = False) -> "Holds":
        """The holds with this scope held. An existing hold keeps its `since`; its probe is over."""
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
        """The holds with this scope released; unchanged if it is not held."""
        known = self.of(scope)
        if known is None or not known.held:
            return self
        generation = self.generation + 1
        free = dataclasses.replace(
            known, held=False, changed_at=now, generation=generation, probe=None, probe_until=None
        )
        return self._with(scope, free, now, generation=generation)

    def with_probe(self, scope: ScopeKey, message_id: str, now: datetime) -> "Holds":
        """The holds with this message as the scope's probe. The scope must be held."""
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
        """The holds without a probe for this scope; its hold stays. Unchanged if there is no difference."""
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
        """The holds with those of the scopes that are held to be probed now: a person asked for it or saved new
        settings."""
        held = [scope for scope in scopes if (hold := self.of(scope)) is not None and hold.held]
        changed = self
        for scope in held:
            known = changed.scopes[str(scope)]
            waiting = dataclasses.replace(known, try_at=now, tries=0, probe=None, probe_until=None)
            changed = changed._with(scope, waiting, now)
        return changed

    def checked(self, now: datetime, every: timedelta) -> "Holds":
        """The holds after a look at them: the next look is in `every`, and holds that ended long ago are removed."""
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
