"""DynamoDB's tables in memory, with what each call consumes: write units of 1 KB, read units of 4 KB, indexes included.

The units are those that AWS documents for on-demand tables. A write costs the larger of the item before and after,
rounded up to a KB. So does each index whose entry changes, twice if its key changes. A failed condition costs a write
too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.cloud.expressions import Item, comparable, condition, update

type Request = Mapping[str, object]
type Key = tuple[str, ...]

_KB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A global secondary index. If `kept` is None, it has all attributes."""

    name: str
    key: tuple[str, ...]
    kept: frozenset[str] | None

    def entry(self, item: Item | None) -> Item | None:
        """The item's entry in the index, or None if the item lacks a key."""
        if item is None or any(name not in item for name in self.key):
            return None
        return item if self.kept is None else {name: value for name, value in item.items() if name in self.kept}


@dataclass(slots=True, kw_only=True)
class Table:
    """One table. `partitions` has, per key schema ("" is the table's own), hash value → keys of items."""

    name: str
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    items: dict[Key, Item] = field(default_factory=dict)
    partitions: dict[str, dict[str, dict[Key, None]]] = field(default_factory=dict)

    def key_of(self, item: Mapping[str, Mapping[str, object]]) -> Key:
        """The key of an item in the table."""
        return tuple(str(comparable(item[name])) for name in self.key)

    def replace(self, key: Key, before: Item | None, after: Item | None) -> int:
        """Replace `before` by `after` and return the write units."""
        if after is None:
            self.items.pop(key, None)
        else:
            self.items[key] = after
        self._file(key, "", self.key[0], before, after)
        units = max(write_units(before), write_units(after), 1)
        for index in self.indexes:
            units += self._reindex(key, index, index.entry(before), index.entry(after))
        return units

    def _reindex(self, key: Key, index: Index, before: Item | None, after: Item | None) -> int:
        self._file(key, index.name, index.key[0], before, after)
        if before == after:
            return 0
        if before and after and any(before[name] != after[name] for name in index.key):
            return write_units(before) + write_units(after)
        return max(write_units(before), write_units(after))

    def _file(self, key: Key, index: str, attribute: str, before: Item | None, after: Item | None) -> None:
        places = self.partitions.setdefault(index, {})
        old = str(comparable(before[attribute])) if before else None
        new = str(comparable(after[attribute])) if after else None
        if old != new and old is not None:
            places[old].pop(key, None)
        if new is not None:
            places.setdefault(new, {})[key] = None

    def found(self, index: str, hash_value: str, order: str | None) -> list[Item]:
        """The items of a partition, in the order of the sort key."""
        items = [self.items[key] for key in self.partitions.get(index, {}).get(hash_value, ())]
        return sorted(items, key=lambda item: comparable(item[order])) if order else items


def size_of(item: Item | None) -> int:
    """The size in bytes: names and values."""
    if not item:
        return 0
    return sum(len(name.encode()) + _length(value) for name, value in item.items())


def _length(attribute: Mapping[str, object]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return len(str(value).strip("-0")) // 2 + 2
    if kind == "S":
        return len(str(value).encode())
    return sum(len(str(member)) for member in value) if isinstance(value, list) else len(str(value))


def write_units(item: Item | None) -> int:
    """The write units of the item without its indexes."""
    return math.ceil(size_of(item) / _KB)


def read_units(items: Sequence[Item | None], *, consistent: bool, together: bool) -> float:
    """The read units: each item separately, or all `together` (a query). A read that is not `consistent` costs half."""
    if together:
        units = math.ceil(sum(map(size_of, items)) / (4 * _KB)) or 1
    else:
        units = sum(math.ceil(size_of(item) / (4 * _KB)) or 1 for item in items)
    return float(units) if consistent else units / 2


def tables_of(template: Mapping[str, Mapping[str, object]]) -> dict[str, Table]:
    """Logical ID → the table that template.yaml describes under it."""
    return {name: _table(name, resource["Properties"]) for name, resource in template.items() if _is_table(resource)}


def _is_table(resource: Mapping[str, object]) -> bool:
    return resource.get("Type") == "AWS::DynamoDB::Table"


def _table(name: str, properties: object) -> Table:
    assert isinstance(properties, dict)  # noqa: S101 - the template's own shape
    key = _names(properties["KeySchema"])
    return Table(name=name, key=key, indexes=tuple(_indexes(key, properties.get("GlobalSecondaryIndexes", []))))


def _indexes(table_key: tuple[str, ...], described: Sequence[Mapping[str, object]]) -> Iterator[Index]:
    for one in described:
        own, projection = _names(one["KeySchema"]), one["Projection"]
        assert isinstance(projection, dict)  # noqa: S101
        more = projection.get("NonKeyAttributes", ())
        everything = projection["ProjectionType"] == "ALL"
        yield Index(
            name=str(one["IndexName"]), key=own, kept=None if everything else frozenset((*table_key, *own, *more))
        )


def _names(schema: object) -> tuple[str, ...]:
    assert isinstance(schema, list)  # noqa: S101
    return tuple(str(one["AttributeName"]) for one in schema)


__all__ = ["Index", "Table", "condition", "read_units", "size_of", "tables_of", "update", "write_units"]
