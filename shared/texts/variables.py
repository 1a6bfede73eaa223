"""The six variables of a message. One pass: what a value holds is never expanded again.

`{{` and `}}` are literal braces. `{…}` is a variable where what stands between could be meant as a name: up to three
words that begin with a letter, a number of one or two digits, or anything that holds the name of one of the six. So
`{prénom}`, `{first name}`, `{1}` and `{first_name:}` are refused as unknown and never sent. Every other brace (`{`,
`{}`, `{5 000 F}`) belongs to no variable and stands for itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

VARIABLES = ("first_name", "last_name", "card_code", "programme_name", "issue_date", "verification_url")

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")

_LIKE_A_NAME = re.compile(r"\s*[^\W\d]\w*(?:[ '’.-]\w+){0,2}\s*|[0-9]{1,2}")

_HOLDS_A_NAME = re.compile("|".join(name.replace("_", "[ _-]?") for name in VARIABLES), re.IGNORECASE)

_CARD_CODE = "{card_code}"

_LONGEST_NAME_SHOWN = 64


class VariableCode(StrEnum):
    """api.md, "Fields and rows"."""

    UNKNOWN = "variable_unknown"
    MISSING = "variable_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableProblem:
    """One variable that cannot be filled in. `name` as the author wrote it, cut at 64 characters."""

    code: VariableCode
    name: str


class VariableError(ValueError):
    """All that is wrong with a text's variables, each once, in order of appearance. Holds no value."""

    def __init__(self, field_errors: tuple[VariableProblem, ...]) -> None:
        super().__init__(", ".join(field_error.code for field_error in field_errors))
        self.field_errors = field_errors


def names(text: str) -> tuple[str, ...]:
    """The names in braces, known or not, each once, in order of appearance."""
    return tuple(dict.fromkeys(token[1] for token in _TOKEN.finditer(text) if _is_variable(token)))


def expand(text: str, values: Mapping[str, str | None]) -> str:
    """`text` with its variables filled in. An absent, empty or blank value is missing. Raises VariableError."""
    field_errors = tuple(_field_errors(text, values))
    if field_errors:
        raise VariableError(field_errors)
    return _TOKEN.sub(lambda token: _in_place_of(token, values), text)


def fill_card_code(reference: str, card_code: str | None) -> str:
    """`reference` (a card image or verification URL) with its `{card_code}` filled in. Raises VariableError.

    Percent-encoded in a URL, as it is in an s3:// key, where a per cent sign would be part of the name.
    """
    if _CARD_CODE not in reference:
        return reference
    if card_code is None or not card_code.strip():
        raise VariableError((VariableProblem(code=VariableCode.MISSING, name="card_code"),))
    code = card_code if reference.lower().startswith("s3://") else quote(card_code, safe="")
    return reference.replace(_CARD_CODE, code)


def _is_variable(token: re.Match[str]) -> bool:
    """Whether a token of the text is meant as a variable, known or not."""
    name = token[1]
    return name is not None and bool(_LIKE_A_NAME.fullmatch(name) or _HOLDS_A_NAME.search(name))


def _in_place_of(token: re.Match[str], values: Mapping[str, str | None]) -> str:
    if token[1] is None:
        return token[0][0]
    return (values[token[1]] or "") if _is_variable(token) else token[0]


def _field_errors(text: str, values: Mapping[str, str | None]) -> Iterator[VariableProblem]:
    for name in names(text):
        if name not in VARIABLES:
            yield VariableProblem(code=VariableCode.UNKNOWN, name=name[:_LONGEST_NAME_SHOWN])
        elif not (values.get(name) or "").strip():
            yield VariableProblem(code=VariableCode.MISSING, name=name)
