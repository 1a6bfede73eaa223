"""Whom Meta means: a number, a business-scoped user ID, or both (reference/whatsapp.md, section 5.6)."""

import re

from shared.domain.json import JsonValue
from shared.domain.news import Acquaintance, Contact
from shared.providers.answers import text

_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)


def contact(*values: JsonValue) -> Contact | None:
    """The person that these fields name together; None where none of them names anybody.

    Each may hold either kind of name, because user IDs were seen in `from` and `wa_id`; of each kind the first counts.
    """
    told = [str(value) if type(value) is int else text(value).strip() for value in values]
    numbers = [found[1] for found in map(_NUMBER.fullmatch, told) if found]
    user_ids = [found[0] for found in map(_USER_ID.fullmatch, told) if found]
    if not numbers and not user_ids:
        return None
    return Contact(phone=f"+{numbers[0]}" if numbers else None, user_id=user_ids[0] if user_ids else None)


def acquaintance(person: Contact | None) -> Acquaintance | None:
    """That both names are one person's, where both are told."""
    if person is None or person.phone is None or person.user_id is None:
        return None
    return Acquaintance(phone=person.phone, user_id=person.user_id)
