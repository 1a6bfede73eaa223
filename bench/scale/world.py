"""Fifty organisations and what each sends on one day, invented from a seed. Only the sizes matter."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.recipients.countries import COVERED

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
"""Second 0 of the day."""
SEED = 8
WHATSAPP_SHARE = 0.7
FAST_EVERY = 10
"""One number in ten has Meta's rate of 1,000 a second, the others have 80."""
WHATSAPP_RATES, SMS_RATE = (1000, 80), 5
FIRST_START, LAST_START = timedelta(hours=7), timedelta(hours=12)
"""A working morning, UTC. Campaigns are confirmed in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What one organisation sends by one rate limit: `rate` messages a second, from second `starts` of the day."""

    organisation: int
    channel: str
    country: str
    rate: int
    rows: int
    starts: int


def campaigns(organisations: int = 50, messages: int = 10_000_000, seed: int = SEED) -> Sequence[Campaign]:
    """Make one campaign per organisation and channel. Sizes are log-normal: the largest sends a quarter."""
    drawn = random.Random(seed)  # noqa: S311 - a model, not a secret
    codes = list(COVERED)
    sizes = {
        "whatsapp": _sizes(drawn, organisations, round(messages * WHATSAPP_SHARE)),
        "sms": _sizes(drawn, organisations, messages - round(messages * WHATSAPP_SHARE)),
    }
    span = int((LAST_START - FIRST_START).total_seconds())
    made = []
    for channel, rows in sizes.items():
        for number, count in enumerate(rows):
            fast = channel == "whatsapp" and number % FAST_EVERY == 0
            made.append(
                Campaign(
                    organisation=number,
                    channel=channel,
                    country=codes[number % len(codes)],
                    rate=SMS_RATE if channel == "sms" else WHATSAPP_RATES[0 if fast else 1],
                    rows=count,
                    starts=int(FIRST_START.total_seconds()) + drawn.randrange(span),
                )
            )
    return made


def _sizes(drawn: random.Random, organisations: int, messages: int) -> list[int]:
    """Return log-normal whole numbers that add up to `messages`."""
    weights = sorted((drawn.lognormvariate(0, 1) for _ in range(organisations)), reverse=True)
    total = sum(weights)
    rows = [int(messages * weight / total) for weight in weights]
    rows[0] += messages - sum(rows)
    return rows
