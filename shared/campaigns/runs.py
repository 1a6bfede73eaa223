"""Which run of a distribution a row belongs to. Rows that the same cause can hold make one run."""

from collections.abc import Container, Sized
from dataclasses import dataclass
from typing import Protocol

from shared.campaigns.distribution import MOST_RUNS
from shared.cards.references import S3Card, parse
from shared.messages.payload import Mode, Payload, TemplateCall
from shared.recipients.countries import COVERED

_SHARED_FROM = MOST_RUNS * 3 // 4
"""From this number of runs on, rows of further card hosts share a run. The rest is reserved for further countries and
languages."""

_COUNTRIES_FROM = MOST_RUNS - 1 - len(COVERED)
"""From this number of runs on, rows of further languages share a run too. So each country with SMS always has runs of
its own, and a chunk's counts are those of one country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """What the rows of a run have in common (`shared.campaigns.distribution.Run`)."""

    country: str
    template: str | None = None
    card_host: str | None = None


_REST = RunKind(country="")
"""The last run takes all rows that fit no other: those of a list with more than fifty countries (by WhatsApp)."""


class _Kinds(Sized, Container[RunKind], Protocol):
    """The kinds that exist already."""


def kind_of(payload: Payload) -> RunKind:
    """The kind of run that a message belongs to."""
    return RunKind(country=payload.country, template=template_of(payload), card_host=card_host(payload.card_image))


def template_of(payload: Payload) -> str | None:
    """The template that a message uses, with its language ("vaccination_card/fr"); None: no template."""
    return named(payload.template) if payload.mode is Mode.TEMPLATE else None


def named(template: TemplateCall | None) -> str | None:
    """The template's name with its language."""
    return f"{template.name}/{template.language}" if template else None


def card_host(reference: str | None) -> str | None:
    """The host of a card, or `s3://<bucket>` for a card in a bucket; None: no card."""
    card = parse(reference) if reference else None
    if card is None:
        return None
    return f"s3://{card.bucket}" if isinstance(card, S3Card) else card.authority


def fitting_kind(wished: RunKind, kinds: _Kinds) -> RunKind:
    """The wanted kind if there is room for it among at most `MOST_RUNS`, else a wider one."""
    if wished in kinds or len(kinds) < _SHARED_FROM:
        return wished
    of_any_host = RunKind(country=wished.country, template=wished.template)
    if of_any_host in kinds or len(kinds) < _COUNTRIES_FROM:
        return of_any_host
    of_the_country = RunKind(country=wished.country)
    return of_the_country if of_the_country in kinds or len(kinds) < MOST_RUNS - 1 else _REST
