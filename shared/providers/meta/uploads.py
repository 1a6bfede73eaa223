"""The media IDs of cards at Meta: what this environment has uploaded, and what it shares with the others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.base.caches import LruCache
from shared.sending.channel import MEDIA_KEPT, MediaCache

MOST_KNOWN = 1_000
"""Cards whose IDs an environment keeps in memory: some 400 bytes each."""

type Card = tuple[str, str, str]
"""Organisation, phone number ID, SHA-256 of the bytes: an ID is good for the number that uploaded it."""


@dataclass(slots=True, kw_only=True)
class _Upload:
    """`person`: whose message it was made for. `is_shared`: the store has it."""

    media_id: str
    at: datetime
    person: str
    is_shared: bool = False


class Uploads:
    """Remembers uploads. An ID goes into the store when a second person's message uses it in this environment.

    Most cards are one person's, and are sent once: a write for each of them would be paid for nothing. A card of many
    is uploaded at most once by each environment before the store has it. Another try of the same message finds the ID
    here, or uploads the card again, which does no harm.
    """

    def __init__(self, store: MediaCache, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._recent: LruCache[Card, _Upload] = LruCache(MOST_KNOWN)
        self._cards: LruCache[str, Card] = LruCache(MOST_KNOWN)

    async def media_id(self, card: Card, person: str, *, stale: str | None, after: datetime | None) -> str | None:
        """A good ID of the card for this person's message: not `stale`, and of an upload later than `after`."""
        own = self._recent.get(card)
        if own is not None and own.media_id != stale and self._is_good(own, after):
            if own.person != person and not own.is_shared:
                await self._store.remember(*card, own.media_id, own.at)
                own.is_shared = True
            return own.media_id
        known = await self._store.media_id(*card, after=after)
        if known is None or known == stale:
            return None
        self._cards[known] = card
        return known

    async def uploaded(self, card: Card, person: str, media_id: str, *, replaces: bool) -> None:
        """The card has a new ID. `replaces`: it takes the place of one that others may still find in the store."""
        upload = _Upload(media_id=media_id, at=self._now(), person=person)
        self._recent[card] = upload
        self._cards[media_id] = card
        if replaces and await self._store.media_id(*card) is not None:
            await self._store.remember(*card, media_id, upload.at)
            upload.is_shared = True

    async def refused(self, media_id: str) -> None:
        """Meta does not take the picture behind this ID: the ID is not used again."""
        card = self._cards.pop(media_id, None)
        if card is None:
            return
        own = self._recent.get(card)
        if own is not None and own.media_id == media_id:
            del self._recent[card]
        await self._store.forget(*card, media_id)

    def _is_good(self, upload: _Upload, after: datetime | None) -> bool:
        return self._now() - upload.at < MEDIA_KEPT and (after is None or upload.at > after)
