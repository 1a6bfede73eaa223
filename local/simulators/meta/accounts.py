"""Finds the number under which Meta has a person's account.

Ivorian numbers went from eight to ten digits in 2021. An older account keeps its eight digits: both forms reach it, and
Meta reports the eight (github.com/devlikeapro/waha, issue 1894). Here an account is old after a person has written from
an eight-digit number.
"""

_IVORIAN = "225"
_PREFIXES = {
    "0": "01",
    "1": "01",
    "2": "01",
    "3": "01",
    "4": "05",
    "5": "05",
    "6": "05",
    "7": "07",
    "8": "07",
    "9": "07",
}
"""The new prefix, by the second digit of the old number, which named the operator."""
_OLD_LENGTH = len(_IVORIAN) + 8


def is_old(wa_id: str) -> bool:
    """Whether this is an Ivorian number from before 2021."""
    return wa_id.startswith(_IVORIAN) and len(wa_id) == _OLD_LENGTH


class Accounts:
    """Old accounts, by their numbers of today."""

    def __init__(self) -> None:
        self._old: dict[str, str] = {}

    def wrote(self, wa_id: str) -> None:
        """Note that a person wrote from this number."""
        if is_old(wa_id):
            self._old[_today(wa_id)] = wa_id

    def named(self, wa_id: str) -> str:
        """Return Meta's name for the account that this number reaches."""
        return self._old.get(_today(wa_id) if is_old(wa_id) else wa_id, wa_id)

    def clear(self) -> None:
        self._old.clear()


def _today(wa_id: str) -> str:
    national = wa_id.removeprefix(_IVORIAN)
    return f"{_IVORIAN}{_PREFIXES[national[1]]}{national}"
