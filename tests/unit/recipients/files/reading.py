"""A file, read by the product's reader, as the tests of each format need it."""

import io
from collections.abc import Sequence

import pytest

from shared.base.json import JsonObject
from shared.base.refusal import FieldError
from shared.policy.eligibility import Row
from shared.recipients.files.reader import RowReader
from shared.recipients.files.unreadable import UnreadableFileError
from shared.storage.workbooks import ChildWorkbooks

WORKBOOKS = ChildWorkbooks()


def reader(content: bytes, form: str = "csv") -> RowReader:
    """One that has read all rows."""
    made = RowReader(io.BytesIO(content), form, WORKBOOKS)
    for _ in made.rows():
        pass
    return made


def rows(content: bytes, form: str = "csv") -> Sequence[Row]:
    return list(RowReader(io.BytesIO(content), form, WORKBOOKS).rows())


def raws(content: bytes, form: str = "csv") -> list[JsonObject | None]:
    return [row.raw for row in rows(content, form)]


def refused(content: bytes, form: str = "csv") -> FieldError:
    """Why the file as a whole is not taken."""
    with pytest.raises(UnreadableFileError) as caught:
        rows(content, form)
    return caught.value.field_error
