"""DynamoDB's expressions, compiled once each: conditions, updates and key conditions as our adapters write them.

Items have the form of the wire: {"name": {"S": "…"}}. Raises ExpressionError for a form that our adapters do not use.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

type Attribute = Mapping[str, object]
type Item = dict[str, Attribute]
type Names = Mapping[str, str]
type Values = Mapping[str, Attribute]
type Operand = Callable[[Item, Names, Values], Attribute | None]
type Condition = Callable[[Item, Names, Values], bool]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")
_COMPARED: Mapping[str, Callable[[float | str, float | str], bool]] = {
    "=": lambda one, two: one == two,
    "<>": lambda one, two: one != two,
    "<": lambda one, two: one < two,  # type: ignore[operator]  # both are numbers or both are texts
    "<=": lambda one, two: one <= two,  # type: ignore[operator]
    ">": lambda one, two: one > two,  # type: ignore[operator]
    ">=": lambda one, two: one >= two,  # type: ignore[operator]
}


class ExpressionError(Exception):
    """This reader does not know the expression."""


def comparable(attribute: Attribute) -> float | str:
    """Return the number or the text by which an attribute is compared."""
    ((kind, value),) = attribute.items()
    return float(str(value)) if kind == "N" else str(value)


def _name(token: str, names: Names) -> str:
    return names[token] if token.startswith("#") else token


class _Reader:
    def __init__(self, expression: str) -> None:
        self._tokens = _TOKEN.findall(expression)
        if "".join(self._tokens) != re.sub(r"\s+", "", expression):
            raise ExpressionError(expression)
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token.upper() != expected.upper()):
            raise ExpressionError(f"{token!r} where {expected!r} was expected in {' '.join(self._tokens)}")
        self._at += 1
        return token

    def takes(self, *wanted: str) -> bool:
        """Take the next token if it is one of these words or signs."""
        if self.peek().upper() in wanted:
            self._at += 1
            return True
        return False

    def list_of[T](self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self.takes(","):
            found.append(read())
        return found

    # ------------------------------------------------------------------------------------------------------ conditions

    def either(self) -> Condition:
        parts = [self.both()]
        while self.takes("OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda *facts: any(part(*facts) for part in parts)

    def both(self) -> Condition:
        parts = [self.one()]
        while self.takes("AND"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda *facts: all(part(*facts) for part in parts)

    def one(self) -> Condition:
        if self.takes("NOT"):
            inner = self.one()
            return lambda *facts: not inner(*facts)
        if self.takes("("):
            inner = self.either()
            self.take(")")
            return inner
        word = self.peek().lower()
        if word in ("attribute_exists", "attribute_not_exists"):
            return self._existence(is_there=word == "attribute_exists")
        if word == "begins_with":
            return self._beginning()
        return self._comparison()

    def _existence(self, *, is_there: bool) -> Condition:
        self.take()
        self.take("(")
        token = self.take()
        self.take(")")
        return lambda item, names, _: (_name(token, names) in item) is is_there

    def _beginning(self) -> Condition:
        self.take()
        self.take("(")
        whole = self.operand()
        self.take(",")
        start = self.operand()
        self.take(")")

        def begins(item: Item, names: Names, values: Values) -> bool:
            found, wanted = whole(item, names, values), start(item, names, values)
            return (
                found is not None and wanted is not None and str(comparable(found)).startswith(str(comparable(wanted)))
            )

        return begins

    def _comparison(self) -> Condition:
        left = self.operand()
        if self.takes("IN"):
            self.take("(")
            choices = self.list_of(self.operand)
            self.take(")")
            return lambda *facts: left(*facts) is not None and left(*facts) in [choice(*facts) for choice in choices]
        if self.takes("BETWEEN"):
            low = self.operand()
            self.take("AND")
            return _all(_compare(left, low, ">="), _compare(left, self.operand(), "<="))
        return _compare(left, sign=self.take(), right=self.operand())

    def operand(self) -> Operand:
        token = self.take()
        if token.startswith(":"):
            return lambda _item, _names, values: values[token]
        if token.lower() == "if_not_exists":
            self.take("(")
            name = self.take()
            self.take(",")
            other = self.operand()
            self.take(")")
            return lambda item, names, values: item.get(_name(name, names)) or other(item, names, values)
        return lambda item, names, _: item.get(_name(token, names))

    # --------------------------------------------------------------------------------------------------------- updates

    def assignment(self) -> tuple[str, Operand]:
        name = self.take()
        self.take("=")
        value = self.operand()
        if self.peek() in ("+", "-"):
            sign, first, second = self.take(), value, self.operand()
            return name, lambda *facts: _sum(first(*facts), second(*facts), 1 if sign == "+" else -1)
        return name, value

    def addition(self) -> tuple[str, str]:
        return self.take(), self.take()

    def end(self) -> None:
        if self.peek():
            raise ExpressionError(" ".join(self._tokens))


def _all(*conditions: Condition) -> Condition:
    return lambda *facts: all(condition(*facts) for condition in conditions)


def _compare(left: Operand, right: Operand, sign: str) -> Condition:
    compared = _COMPARED.get(sign)
    if compared is None:
        raise ExpressionError(f"{sign!r} is not a comparison")

    def holds(item: Item, names: Names, values: Values) -> bool:
        one, two = left(item, names, values), right(item, names, values)
        if one is None or two is None:
            return sign == "<>"
        return one.keys() == two.keys() and compared(comparable(one), comparable(two))

    return holds


def _sum(one: Attribute | None, two: Attribute | None, sign: int) -> Attribute:
    return {"N": str(_number(one) + sign * _number(two))}


def _number(attribute: Attribute | None) -> int:
    return int(str(attribute["N"])) if attribute else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A parsed update expression. Every operand is read from the item before the update."""

    sets: tuple[tuple[str, Operand], ...] = ()
    adds: tuple[tuple[str, str], ...] = ()
    removes: tuple[str, ...] = ()

    def applied(self, item: Item, names: Names, values: Values) -> Item:
        """Return the new item. Raises ExpressionError."""
        changed = dict(item)
        for name, value in self.sets:
            found = value(item, names, values)
            if found is None:
                raise ExpressionError(f"no value to set {name} to")
            changed[_name(name, names)] = found
        for name, value_name in self.adds:
            changed[_name(name, names)] = _added(item.get(_name(name, names)), values[value_name])
        for name in self.removes:
            changed.pop(_name(name, names), None)
        return changed


def _added(before: Attribute | None, more: Attribute) -> Attribute:
    if "N" in more:
        return _sum(before, more, 1)
    ((kind, members),) = more.items()
    there = list(before[kind]) if before else []  # type: ignore[call-overload]  # a set's members
    return {kind: [*there, *(one for one in members if one not in there)]}  # type: ignore[attr-defined]


@lru_cache(maxsize=512)
def condition(expression: str) -> Condition:
    """Parse a condition, key condition or filter. Raises ExpressionError."""
    reader = _Reader(expression)
    read = reader.either()
    reader.end()
    return read


@lru_cache(maxsize=512)
def update(expression: str) -> Update:
    """Parse an update expression. Raises ExpressionError."""
    reader = _Reader(expression)
    sets: list[tuple[str, Operand]] = []
    adds: list[tuple[str, str]] = []
    removes: list[str] = []
    while reader.peek():
        word = reader.take().upper()
        if word == "SET":
            sets += reader.list_of(reader.assignment)
        elif word == "ADD":
            adds += reader.list_of(reader.addition)
        elif word == "REMOVE":
            removes += reader.list_of(reader.take)
        else:
            raise ExpressionError(expression)
    return Update(sets=tuple(sets), adds=tuple(adds), removes=tuple(removes))
