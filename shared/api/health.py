"""Health as api.md shows it."""

from collections.abc import Mapping

from shared.api.documents import Document
from shared.api.texts.health import finding
from shared.api.texts.sentences import Language, Sentences, filled_in
from shared.integrations.balances import Balance
from shared.integrations.health import Check, Health
from shared.texts.catalogue import Usable


def document(health: Health, language: Language) -> Document:
    """Findings in the reader's language, figures beside them."""
    templates, balances = health.templates, health.balances
    return {
        "ok": health.ok,
        "checks": [_check(check, language) for check in health.checks],
        "sender": health.sender,
        "quality": health.quality,
        "daily_limit": health.daily_limit,
        "used_24h": health.used_24h,
        "templates": [_template(one) for one in templates] if templates is not None else None,
        "balances": [_balance(one) for one in balances] if balances is not None else None,
    }


def _check(check: Check, language: Language) -> Document:
    detail, remedy = finding(check.name, check.code, language)
    return {
        "name": check.name,
        "ok": check.ok,
        "detail": _said(detail, check.facts),
        "remedy": _said(remedy, check.facts) or None,
    }


def _said(sentences: Sentences, facts: Mapping[str, str]) -> str:
    return filled_in(sentences, {name: value for name, value in facts.items() if value})


def _template(one: Usable) -> Document:
    return {"name": one.name, "language": one.language, "status": one.status}


def _balance(one: Balance) -> Document:
    return {"country": one.country, "units": one.units, "expires_at": one.expires_at}
