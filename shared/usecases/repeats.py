"""The same refusal, one recipient after the other: then it is not the recipients' fault, and the list must not burn.

Orange's codes for a wrong request, a text too long or a policy do not say whether they concern this person or everybody
(reference/orange_sms.md, section 2: "same error on N in a row: pause"); neither does a code that nobody knows.
"""

from shared.domain.dispatch import Dispatch
from shared.domain.errors import Kind, SendError
from shared.domain.lru import LruCache

MOST_ALIKE = 10
"""In a row, by one worker. Each worker counts for itself: a shared count would cost every message a write."""
_PERHAPS_EVERYBODYS = frozenset({"provider_rejected", "text_too_long"})
"""Reasons that may be everybody's. A number that is wrong or not on WhatsApp is one person's, however many come."""


class Repeats:
    """One worker's memory, by distribution and scope: the error of its last messages, and how often in a row."""

    def __init__(self) -> None:
        self._rows: LruCache[tuple[str, str, str], tuple[str, int]] = LruCache()

    def taken(self, dispatch: Dispatch) -> None:
        """The provider took a message: the refusals before it were their recipients' own."""
        self._rows.pop(_key(dispatch), None)

    def is_one_too_many(self, dispatch: Dispatch, error: SendError) -> bool:
        """Whether this refusal ends a row of `MOST_ALIKE`; the next one begins a new row."""
        may_be = error.kind is Kind.BUG or (error.kind is Kind.RECIPIENT and error.reason in _PERHAPS_EVERYBODYS)
        if dispatch.chunk is None or not may_be:
            return False
        code, before = self._rows.pop(_key(dispatch), (error.code, 0))
        count = before + 1 if code == error.code else 1
        if count >= MOST_ALIKE:
            return True
        self._rows[_key(dispatch)] = (error.code, count)
        return False


def _key(dispatch: Dispatch) -> tuple[str, str, str]:
    """Counted apart for each country or template: only the scope that is refused is held."""
    template = dispatch.payload.template
    scope = f"{template.name}/{template.language}" if template else dispatch.payload.country
    return dispatch.organisation, dispatch.chunk.distribution_id if dispatch.chunk else "", scope
