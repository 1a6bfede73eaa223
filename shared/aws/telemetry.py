"""Structured logs: one JSON line an event, with a stable name. Never an event's body, a number, a text or a token."""

from aws_lambda_powertools import Logger


class LoggedTelemetry:
    """`Telemetry` on the Lambda log."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service)

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        """See `Telemetry`."""
        self._logger.info(name, extra={"event": name, **fields})

    def trouble(self, name: str, **fields: str | int | float | bool | None) -> None:
        """See `Telemetry`."""
        self._logger.warning(name, extra={"event": name, **fields})

    def crash(self, error: Exception, where: str) -> None:
        """An exception that nobody expected: its type and its place in our code. Its text may quote personal data."""
        trace = error.__traceback__
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        self._logger.error(
            "crash", extra={"event": "crash", "where": where, "error": type(error).__name__, "places": places[-8:]}
        )
