"""Which cards of a plan are fetched beforehand: a few, spread over the list and over its hosts. Pure."""

from itertools import chain, zip_longest

from shared.domain.runs import card_host

MOST = 5
"""Cards in all, and hosts."""


class CardSample:
    """Takes the cards one after the other, and keeps a few of each host, evenly spread over those it was shown."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Spread] = {}

    def add(self, reference: str) -> None:
        """The next row's card."""
        host = card_host(reference)
        if host is None or (host not in self._hosts and len(self._hosts) >= MOST):
            return
        self._hosts.setdefault(host, _Spread()).add(reference)

    def chosen(self) -> list[str]:
        """At most `MOST` different ones: first one of each host, then a second one of each."""
        kept = [dict.fromkeys(spread.kept) for spread in self._hosts.values()]
        in_turn = chain.from_iterable(zip_longest(*kept))
        return [reference for reference in in_turn if reference is not None][:MOST]


class _Spread:
    """Every n-th of a list whose length nobody knows; n doubles as soon as that would be too many."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self._seen = 0
        self._step = 1

    def add(self, reference: str) -> None:
        if self._seen % self._step == 0:
            self.kept.append(reference)
        self._seen += 1
        if len(self.kept) > MOST:
            self.kept = self.kept[::2]
            self._step *= 2
