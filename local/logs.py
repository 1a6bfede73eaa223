"""Sends the stack's log to standard error, or to a file while the demo uses the terminal.

Its lines carry the stack's time, as everything does that the API shows.
"""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast, override

from shared.base.instants import Clock, format_instant

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        line = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "timestamp": format_instant(self._clock.now()),
            **extra,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class WholeLines(io.TextIOBase):
    """Writes whole lines only, because many threads print: `print` writes a line and its end separately."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lock = threading.Lock()
        self._own = threading.local()

    @override
    def write(self, text: str) -> int:
        """Keep a text without a line end until the same thread writes the rest."""
        whole, end, rest = (getattr(self._own, "begun", "") + text).rpartition("\n")
        self._own.begun = rest
        if end:
            with self._lock:
                self._stream.write(whole + end)
        return len(text)

    @override
    def flush(self) -> None:
        with self._lock:
            self._stream.flush()


@contextmanager
def logging_to(stream: TextIO, clock: Clock) -> Iterator[TextIO]:
    """Send the stack's log and all that functions print to `stream`. Yields the former standard output.

    Powertools keeps the sys.stdout of the moment in which a function builds its logger.
    """
    lines = cast("TextIO", WholeLines(stream))
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonLines(clock))
    logger = logging.getLogger("local")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    terminal, sys.stdout = sys.stdout, lines
    try:
        yield terminal
    finally:
        sys.stdout = terminal
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
