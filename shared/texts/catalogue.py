"""Which templates an organisation can name, and what Meta says of each: the ready-made ones and its own.

Read once for a whole request. What Meta has not told is None, and then sending goes on with a warning (api.md,
Templates).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.texts.templates import DEFAULT_LANGUAGE, READY_MADE, READY_NAMES, Shape
from shared.webhooks.updates import TemplateStatus

UTILITY = "UTILITY"

SHOWN = frozenset({TemplateStatus.APPROVED, TemplateStatus.PAUSED, TemplateStatus.DISABLED})
"""An organisation's own templates are ours to list once Meta has approved them; what is under review is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTemplate:
    """One template in one language, as Meta told of it. `reported_at` is when its status was so, in whole seconds.

    `shape` is None where only news named it, or where it has parts that we cannot fill in. `recategorised_at` is when
    Meta moved it out of the Utility category, None while it is in it.
    """

    name: str
    language: str
    status: TemplateStatus | None
    reported_at: datetime
    category: str | None = None
    recategorised_at: datetime | None = None
    shape: Shape | None = None
    template_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is stored of an account's templates; `read_at` is when Meta's whole list was last read."""

    templates: tuple[KnownTemplate, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A template that can be named in a request. `status` None: Meta could not be asked.

    `is_sure` says whether the status was looked up just now or lately. `sms` is None for an organisation's own.
    """

    name: str
    language: str
    origin: Literal["ready", "own"]
    use_case: str | None
    shape: Shape
    sms: str | None
    status: TemplateStatus | None
    is_sure: bool

    @property
    def is_refused(self) -> bool:
        """Whether Meta would surely not take it."""
        return self.status not in (None, TemplateStatus.APPROVED)


class Catalogue:
    """The templates of one organisation. `is_sure`: Meta's list was read lately, so what is not on it is not there."""

    def __init__(self, known: Iterable[KnownTemplate] = (), *, is_sure: bool = False) -> None:
        self.is_sure = is_sure
        by_key = {(one.name, one.language): one for one in known}
        found = [*_ready(by_key, is_sure=is_sure), *_own(by_key, is_sure=is_sure)]
        self._usable: Mapping[tuple[str, str], Usable] = {(one.name, one.language): one for one in found}

    @property
    def items(self) -> tuple[Usable, ...]:
        """The ready-made ones first, then the organisation's own by name and language."""
        return tuple(self._usable.values())

    def languages(self, name: str) -> tuple[Usable, ...]:
        """Every language of a template; empty where there is none of that name."""
        return tuple(one for one in self._usable.values() if one.name == name)

    def find(self, name: str, language: str | None = None, recipients: str | None = None) -> Usable | None:
        """The template in `language` if that is asked for; else in the recipient's, else in French, else in any."""
        if language:
            return self._in(name, language)
        for wish in (recipients, DEFAULT_LANGUAGE):
            if wish and (found := self._in(name, wish)):
                return found
        return next(iter(self.languages(name)), None)

    def _in(self, name: str, language: str) -> Usable | None:
        """Exactly that language, or one of its regional forms: Meta has `en`, `en_US` and `en_GB`."""
        exact = self._usable.get((name, language))
        return exact or next((one for one in self.languages(name) if one.language.startswith(f"{language}_")), None)


def _ready(known: Mapping[tuple[str, str], KnownTemplate], *, is_sure: bool) -> Iterable[Usable]:
    for key, template in READY_MADE.items():
        current = known.get(key)
        absent = TemplateStatus.NOT_SUBMITTED if is_sure else None
        yield Usable(
            name=template.name,
            language=template.language,
            origin="ready",
            use_case=template.use_case,
            shape=(current.shape if current else None) or template.shape,
            sms=template.sms,
            status=current.status if current else absent,
            is_sure=is_sure,
        )


def _own(known: Mapping[tuple[str, str], KnownTemplate], *, is_sure: bool) -> Iterable[Usable]:
    for key in sorted(known):
        one = known[key]
        if one.shape is not None and key not in READY_MADE:
            yield Usable(
                name=one.name,
                language=one.language,
                origin="own",
                use_case=None,
                shape=one.shape,
                sms=None,
                status=one.status,
                is_sure=is_sure,
            )


READY_ONLY = Catalogue()
"""What every organisation has before Meta has been asked, and all that SMS knows."""


def is_ready_made(name: str) -> bool:
    """Whether the product brings it: only such a one can be submitted from here."""
    return name in READY_NAMES
