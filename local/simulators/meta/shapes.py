"""Reads a request's JSON strictly. An unknown key or a wrong type is code 100, a missing value is 131008."""

from collections.abc import Collection

from local.simulators.json_body import as_list, as_object
from local.simulators.meta.errors import GraphError


class Reader:
    """One object of a request, with its path for error texts."""

    def __init__(self, value: object, where: str, allowed: Collection[str]) -> None:
        found = as_object(value)
        if found is None:
            raise GraphError(100, f"Param {where or 'body'} must be an object")
        for key in found:
            if key not in allowed:
                raise GraphError(100, f'Unexpected key "{key}" on param "{where}"')
        self._object = found
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._object

    def path(self, name: str) -> str:
        """Return Graph's name for a parameter."""
        return f"{self._where}['{name}']" if self._where else name

    def text(self, name: str) -> str:
        """Return a string that must be present; it may be empty."""
        value = self._needed(name)
        if not isinstance(value, str):
            raise GraphError(100, f"Param {self.path(name)} must be a string")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self._object else None

    def place(self, name: str) -> int:
        """Return a position counted from 0. It is a string of digits in most of Meta's samples, a number in others."""
        value = self._needed(name)
        if type(value) is int and value >= 0:
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        raise GraphError(100, f"Param {self.path(name)} must be a place counted from 0")

    def one_of(self, name: str, values: Collection[str]) -> str:
        """Return a string that must be one of `values`."""
        value = self.text(name)
        if value not in values:
            raise GraphError(100, f"Param {self.path(name)} must be one of {{{', '.join(sorted(values))}}}")
        return value

    def kind(self, name: str, values: Collection[str]) -> str:
        """Return a string that must be one of `values`, in lower case. Meta's samples use lower case; some clients send
        capitals.
        """
        value = self.text(name).lower()
        if value not in values:
            raise GraphError(100, f"Param {self.path(name)} must be one of {{{', '.join(sorted(values))}}}")
        return value

    def part(self, name: str, allowed: Collection[str]) -> "Reader":
        """Return a reader of an object that must be present."""
        return Reader(self._needed(name), self.path(name), allowed)

    def parts(self, name: str, allowed: Collection[str]) -> list["Reader"]:
        """Return a reader of each object in an array that must be present."""
        items = as_list(self._needed(name))
        if items is None:
            raise GraphError(100, f"Param {self.path(name)} must be an array")
        return [Reader(item, f"{self.path(name)}[{place}]", allowed) for place, item in enumerate(items)]

    def _needed(self, name: str) -> object:
        if self._object.get(name) is None:
            raise GraphError(131008, f"Required parameter is missing: {self.path(name)}")
        return self._object[name]
