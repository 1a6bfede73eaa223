"""Whether a template of an organisation's own can be filled in with our six variables, and how.

Named parameters count when their names are ours. Positional ones count when the template's examples name ours, as in
`"body_text": [["first_name", "card_code"]]`: what else could tell which is which. A header may be a picture, a fixed
text or none; buttons may be fixed, and one may be a URL that ends in a variable. All else we could not fill in.
"""

import re
from collections.abc import Sequence

from shared.domain.json import JsonObject, JsonValue
from shared.domain.templates import Shape, UrlButton
from shared.domain.variables import VARIABLES
from shared.providers.answers import obj, objects, text

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_ENDS_IN_VARIABLE = re.compile(r"([^{}]*)\{\{[^{}]*\}\}")
FIXED_BUTTONS = frozenset({"QUICK_REPLY", "PHONE_NUMBER"})


class _UnfitError(Exception):
    """The template needs something that we do not have."""


def shape_of(item: JsonObject) -> Shape | None:
    """The shape of a template as Meta lists it; None where it cannot be filled in with our variables."""
    components = objects(item.get("components"))
    kinds = [text(component.get("type")).upper() for component in components]
    if kinds.count("BODY") != 1 or len(set(kinds)) != len(kinds):
        return None
    by_kind = dict(zip(kinds, components, strict=True))
    if not by_kind.keys() <= {"HEADER", "BODY", "FOOTER", "BUTTONS"}:
        return None
    try:
        return _shape(item, by_kind)
    except _UnfitError:
        return None


def in_braces_of_meta(body: str) -> str:
    """A text with our variables, `{first_name}`, in Meta's writing: `{{first_name}}`."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", body)


def _shape(item: JsonObject, by_kind: dict[str, JsonObject]) -> Shape:
    body = by_kind["BODY"]
    wording = text(body.get("text"))
    written = list(dict.fromkeys(_VARIABLE.findall(wording)))
    stated = text(item.get("parameter_format")).upper()
    positional = stated == "POSITIONAL" if stated else bool(written) and all(name.isdigit() for name in written)
    named = _positions(written, body) if positional else {name: name for name in written}
    if not set(named.values()) <= set(VARIABLES):
        raise _UnfitError
    return Shape(
        body=_in_our_braces(wording, named),
        parameters=tuple(named.values()),
        positional=positional,
        has_picture=_has_picture(by_kind.get("HEADER")),
        button=_button(objects(by_kind.get("BUTTONS", {}).get("buttons"))),
    )


def _positions(written: Sequence[str], body: JsonObject) -> dict[str, str]:
    """{"1": "first_name", …} by the examples, in Meta's order. Numbers run from 1 without a gap."""
    numbers = sorted(written, key=lambda number: int(number) if number.isdecimal() else 0)
    rows = obj(body.get("example")).get("body_text")
    examples = _first_row(rows)
    if numbers != [str(place) for place in range(1, len(numbers) + 1)] or len(examples) < len(numbers):
        raise _UnfitError
    return {number: text(examples[int(number) - 1]).strip().strip("{}") for number in numbers}


def _first_row(rows: JsonValue) -> list[JsonValue]:
    if not isinstance(rows, list):
        return []
    first = rows[0] if rows else None
    return first if isinstance(first, list) else rows


def _in_our_braces(wording: str, named: dict[str, str]) -> str:
    """Meta's text with our variables; braces that are no variable are doubled, so that they stay braces."""
    pieces = _VARIABLE.split(wording)
    fixed = [piece.replace("{", "{{").replace("}", "}}") for piece in pieces[::2]]
    filled = ["{" + named[name] + "}" for name in pieces[1::2]] + [""]
    return "".join(before + variable for before, variable in zip(fixed, filled, strict=True))


def _has_picture(header: JsonObject | None) -> bool:
    form = text(header.get("format")).upper() if header is not None else ""
    if header is None or (form == "TEXT" and not _VARIABLE.search(text(header.get("text")))):
        return False
    if form == "IMAGE":
        return True
    raise _UnfitError


def _button(buttons: Sequence[JsonObject]) -> UrlButton | None:
    """The one button with a variable; None where none has any."""
    found: UrlButton | None = None
    for index, button in enumerate(buttons):
        kind, url = text(button.get("type")).upper(), text(button.get("url"))
        if kind in FIXED_BUTTONS or (kind == "URL" and not _VARIABLE.search(url)):
            continue
        ending = _ENDS_IN_VARIABLE.fullmatch(url)
        if kind != "URL" or ending is None or found is not None:
            raise _UnfitError
        found = UrlButton(index=index, prefix=ending[1])
    return found
