"""Reads each workbook in a process of its own. It gets the bytes through a pipe, so no list is on disk."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import msgspec

from shared.campaigns.stored_content import Readable
from shared.recipients.files.unreadable import not_this_format
from shared.recipients.files.workbook import SheetRow

_BLOCK = 256 * 1024

_PATIENCE = 180.0
"""Seconds without output until the child counts as stuck. Twice the child's own limit, which is processor time."""


_TOO_LONG = "workbook_too_slow"

_TOO_BIG = "workbook_too_big"
"""It needs more than its limit of memory, mostly because of a cell far away from the list."""


class _End(msgspec.Struct):
    """The child's last line."""

    why: str | None


class ChildWorkbooks:
    """Reads each workbook in a child process (`shared.storage.workbook_child`)."""

    def rows(self, file: Readable) -> Iterator[SheetRow]:
        """The rows of the first sheet that is not hidden, without blank ones. Blocks. Raises UnreadableFileError."""
        with started() as child:
            try:
                _give(file, child)
                yield from _rows(child)
            finally:
                child.kill()


def started() -> subprocess.Popen[bytes]:
    """The child, waiting for a workbook. Its environment holds only where Python finds itself and our modules, and no
    credentials."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"}
    return subprocess.Popen(
        [sys.executable, "-m", "shared.storage.workbook_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=paths,
    )


def _give(file: Readable, child: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError), _pipe(child.stdin) as target:  # it reads no further, and says why
        while block := file.read(_BLOCK):
            target.write(block)


def _rows(child: subprocess.Popen[bytes]) -> Iterator[SheetRow]:
    row: msgspec.json.Decoder[tuple[int, list[str]]] = msgspec.json.Decoder(tuple[int, list[str]])
    with _pipe(child.stdout) as source:
        for line in _lines(source):
            if line.startswith(b"["):
                yield row.decode(line)
                continue
            why = msgspec.json.decode(line, type=_End).why
            if why is not None:
                raise not_this_format(why, format="xlsx")
            return
    raise not_this_format(_why_dead(child.wait()), format="xlsx")


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """The child's lines as they come. The limit is for the time between two blocks of output, not for the whole."""
    rest = b""
    while True:
        readable, _, _ = select.select([source], [], [], _PATIENCE)
        if not readable:
            raise not_this_format(_TOO_LONG, format="xlsx")
        block = os.read(source.fileno(), _BLOCK)
        if not block:
            break
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _why_dead(code: int) -> str:
    """The reason, from the exit code of a child that gave none. Rust aborts the process if it gets no memory."""
    if -code == signal.SIGXCPU:
        return _TOO_LONG
    return _TOO_BIG if code < 0 else "workbook_broken"


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe
