"""What the providers report after a send, second by second. It assumes one POST per report, which is the worst case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A `share` of the messages gets a report between `first` and `last` seconds after the send, spread evenly."""

    share: float
    first: int
    last: int


SPREADS: Mapping[str, Sequence[Spread]] = {
    "whatsapp": (
        Spread(share=1.0, first=0, last=3),  # sent
        Spread(share=0.7, first=1, last=10),  # delivered at once
        Spread(share=0.25, first=10, last=3600),  # delivered once the phone is on again
        Spread(share=0.15, first=5, last=120),  # read at once
        Spread(share=0.5, first=120, last=4 * 3600),  # read later
    ),
    "sms": (
        Spread(share=0.6, first=2, last=30),
        Spread(share=0.3, first=30, last=6 * 3600),
    ),
}
"""These are guesses: there are no published figures of how soon people in these countries read cards. The peak depends
on the first two spreads.
"""


def receipts(sent: Sequence[Mapping[str, int]]) -> list[float]:
    """The number of reports in each second, until the last one."""
    longest = max(spread.last for spreads in SPREADS.values() for spread in spreads)
    steps = [0.0] * (len(sent) + longest + 1)
    for at, by_channel in enumerate(sent):
        for channel, count in by_channel.items():
            for spread in SPREADS[channel] if count else ():
                a_second = count * spread.share / (spread.last - spread.first)
                steps[at + spread.first] += a_second
                steps[at + spread.last] -= a_second
    return [max(0.0, level) for level in accumulate(steps)]
