"""Why a whole file is refused (api.md, "Other formats and damaged files"). A wrong row refuses only itself."""

from typing import Literal

from shared.base.refusal import FieldError

type FileCode = Literal[
    "encoding_unknown",
    "header_missing",
    "phone_column_missing",
    "column_twice",
    "quote_unclosed",
    "file_empty",
    "not_this_format",
]


class UnreadableFileError(Exception):
    """The file as a whole is refused. `field_error` says why and where; its facts hold nothing of a person."""

    def __init__(self, code: FileCode, *, field: str = "file", line: int | None = None, **facts: str) -> None:
        """`line`: the line of the file, from 1. The officer's sentence names it too."""
        where = {"line": str(line)} if line is not None else {}
        self.field_error = FieldError(field=field, code=code, line=line, facts=where | facts)
        super().__init__(f"{code}: {facts['why']}" if "why" in facts else code)


def not_this_format(why: str, *, line: int | None = None, **facts: str) -> UnreadableFileError:
    """The file does not have this format, or exceeds a limit. `why`: a code with a sentence in `shared.api.texts`."""
    return UnreadableFileError("not_this_format", line=line, why=why, **facts)
