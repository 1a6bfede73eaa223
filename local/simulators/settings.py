"""The settings that POST /_control/settings can change while the simulators run."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.simulators.orange.countries import COUNTRIES

TIERS: Mapping[str, int | None] = {
    "TIER_250": 250,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}
"""Unique people per moving 24 hours (reference/whatsapp.md §3)."""

CAN_SEND = frozenset(("AVAILABLE", "LIMITED", "BLOCKED"))
"""Meta's words in `health_status` (reference/whatsapp.md §3)."""

CARD_ANSWERS = frozenset(("ok", "missing", "gone", "forbidden", "redirect", "page", "down"))
"""How all cards of a host are answered (`local.simulators.cards.REFUSALS`)."""


@dataclass(slots=True, kw_only=True)
class Settings:
    """docs/simulators.md describes each setting. Delays are in seconds of the stack's clock."""

    api_url: str
    special_numbers: bool = True
    receipts: bool = True
    duplicate_receipts: bool = False
    receipts_per_call: int = 100
    verify_webhook: bool = True
    contacts_on_failed: bool = False
    sent_delay: float = 0.2
    delivered_delay: float = 0.6
    read_delay: float = 1.2
    hang_seconds: float = 30.0
    answer_seconds: float = 0.0
    meta_down: bool = False
    meta_rate_per_second: int = 80
    pair_burst: int = 45
    messaging_limit: str = "TIER_UNLIMITED"
    quality_rating: str = "GREEN"
    can_send: str = "AVAILABLE"
    known_templates_only: bool = False
    template_verdict: str = "APPROVED"
    template_webhooks: bool = True
    orange_down: bool = False
    orange_rate_per_second: int = 5
    orange_throttle_status: int = 403
    orange_single_token: bool = False
    unapproved_sender_names: list[str] = field(default_factory=lambda: ["UNAPPROVED"])
    senders: dict[str, str] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTRIES, 1_000_000))

    def update(self, changes: Mapping[str, object]) -> None:
        """Change all settings of `changes` or none. A ValueError says which key is unknown or has a wrong value."""
        known = {each.name for each in dataclasses.fields(self)}
        checked: dict[str, object] = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            checked[name] = _fitting(name, value, getattr(self, name))
        if checked.get("can_send", "AVAILABLE") not in CAN_SEND:
            raise ValueError(f"can_send must be one of {', '.join(sorted(CAN_SEND))}")
        if checked.get("messaging_limit", "TIER_250") not in TIERS:
            raise ValueError(f"messaging_limit must be one of {', '.join(TIERS)}")
        cards = checked.get("cards", {})
        if isinstance(cards, dict) and not set(cards.values()) <= CARD_ANSWERS:
            raise ValueError(f"each value of cards must be one of {', '.join(sorted(CARD_ANSWERS))}")
        for name, value in checked.items():
            setattr(self, name, value)

    def shown(self) -> dict[str, object]:
        """Return the settings as JSON."""
        return dataclasses.asdict(self)

    def reset(self) -> None:
        """Go back to the defaults, except for the product's address."""
        defaults = Settings(api_url=self.api_url)
        for each in dataclasses.fields(self):
            setattr(self, each.name, getattr(defaults, each.name))


def _fitting(name: str, value: object, current: object) -> object:
    if isinstance(current, dict):
        kind = int if name == "units" else str
        if not isinstance(value, dict) or not all(type(each) is kind for each in value.values()):
            raise ValueError(f"{name} must be an object of {kind.__name__}")
        return {**current, **value}
    wanted = type(current)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise ValueError(f"{name} must be of type {wanted.__name__}")
    return value
