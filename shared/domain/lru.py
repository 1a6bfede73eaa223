"""A mapping that forgets what was used longest ago, for what a worker remembers from one batch to the next.

A worker may live for hours and meet any number of organisations, accounts and lists.
"""

from collections.abc import Hashable, Iterator, MutableMapping
from typing import override

MANY = 1_000
"""Entries: more than one worker meets within the time for which any of them matters, and some hundred kilobytes."""


class LruCache[K: Hashable, V](MutableMapping[K, V]):
    """At most `most` entries. Reading or writing an entry makes it the last one to be forgotten."""

    def __init__(self, most: int = MANY) -> None:
        self._most = most
        self._kept: dict[K, V] = {}

    @override
    def __getitem__(self, key: K) -> V:
        value = self._kept.pop(key)
        self._kept[key] = value
        return value

    @override
    def __setitem__(self, key: K, value: V) -> None:
        self._kept.pop(key, None)
        self._kept[key] = value
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    @override
    def __delitem__(self, key: K) -> None:
        del self._kept[key]

    @override
    def __contains__(self, key: object) -> bool:
        return key in self._kept

    @override
    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    @override
    def __len__(self) -> int:
        return len(self._kept)
