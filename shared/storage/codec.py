"""Values of the domain ↔ JSON bytes, by their own type hints. Only for encrypted places: S3, SQS, and (without personal
data) the state table."""

import json
import re
from collections.abc import Iterable, Sequence

import msgspec

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def encode(value: object) -> bytes:
    """A dataclass as JSON; instants in RFC 3339, decimals as strings."""
    return msgspec.json.encode(value)


def encode_ascii(value: object) -> str:
    """A dataclass as JSON in ASCII, every other character escaped (`\\u00e9`): SQS refuses some that JSON allows.

    So it has as many bytes as characters, up to three times those of UTF-8.
    """
    return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], encode(value).decode())


def decode[T](data: bytes | str, kind: type[T]) -> T:
    """The value. Raises msgspec.MsgspecError for data that `encode` did not write; the error's text may quote the
    data."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (RecursionError, UnicodeError) as error:  # nested too deep; half a surrogate pair
        raise msgspec.DecodeError(type(error).__name__) from None


def encode_lines(values: Iterable[object]) -> bytes:
    """NDJSON: one line for each value."""
    return msgspec.json.Encoder().encode_lines(values)


def decode_lines[T](data: bytes, kind: type[T]) -> Sequence[T]:
    """The values of NDJSON."""
    lines: Sequence[T] = msgspec.json.Decoder(kind).decode_lines(data)
    return lines
