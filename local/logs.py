"""Where the stack's log goes: standard error, or a file while the demo has the terminal. Its lines carry the stack's
time, as all that the API shows does."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from local.clock import format_instant
from shared.domain.clock import Clock

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


@contextmanager
def logging_to(stream: TextIO, clock: Clock) -> Iterator[TextIO]:
    """Send the stack's log and all that functions print to `stream`; gives what was standard output.

    Powertools writes its lines to the sys.stdout of the moment in which a function builds its logger.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(clock))
    logger = logging.getLogger("local")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    terminal, sys.stdout = sys.stdout, stream
    try:
        yield terminal
    finally:
        sys.stdout = terminal
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
