"""Prints the demo's plans, progress, logs and totals on the terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.demo.api import Distribution, Message, RowError
from local.demo.check import Finding
from local.sample.expected import Campaign, RowDecision

_NAMES = {"whatsapp": "WhatsApp", "sms": "SMS"}
_COLOURS = {"read": "green", "delivered": "green", "sent": "cyan", "pending": "yellow", "failed": "red"}
_ENDS = ("sent", "delivered", "read", "failed")
_LOG_COLUMNS = {
    "whatsapp": ("row", "recipient", "enrolment", "status", "reason", "at"),
    "sms": ("row", "recipient", "enrolment", "status", "reason", "at", "price"),
}


class Bars:
    """One progress bar per campaign: how many messages have been sent, and how many have which status."""

    def __init__(self, progress: Progress, tasks: dict[str, TaskID]) -> None:
        self._progress = progress
        self._tasks = tasks

    def show(self, campaign: Campaign, distribution: Distribution) -> None:
        counts = {name: distribution.counts.get(name, 0) for name in _ENDS}
        parts = "  ".join(f"[{_COLOURS[name]}]{name} {count}[/]" for name, count in counts.items())
        self._progress.update(self._tasks[campaign.channel], completed=sum(counts.values()), parts=parts)


class Screen:
    """Prints to a terminal or to a file."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def problem(self, text: str) -> None:
        self._console.print(text, style="bold red", highlight=False, markup=False)

    def plan(self, plan: Distribution) -> None:
        """Print what the officer sees before confirming."""
        parts = [f"{plan.accepted} to send", f"{plan.rejected} rejected", f"{plan.duplicates} duplicates"]
        if plan.segments is not None:
            parts.append(f"{plan.segments} segments")
        self.say(f"[bold]{_NAMES[plan.channel]}[/] planned: {', '.join(parts)}")
        if plan.prices:
            self.say(f"  {' · '.join(plan.prices)}")
        for warning in plan.warnings:
            self._console.print(f"  warning: {warning}", style="yellow", highlight=False, markup=False)

    @contextmanager
    def progress(self, campaigns: Sequence[Campaign]) -> Iterator[Bars]:
        columns = (
            TextColumn("{task.description:>9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[parts]}"),
        )
        with Progress(*columns, console=self._console) as progress:
            yield Bars(
                progress,
                {
                    each.channel: progress.add_task(
                        _NAMES[each.channel], total=each.count(RowDecision.ACCEPTED), parts=""
                    )
                    for each in campaigns
                },
            )

    def log(self, campaign: Campaign, messages: Sequence[Message]) -> None:
        """Print the masked log, in the order of the file."""
        rows = {each.enrollment_id: each.row for each in campaign.expected}
        table = _table(f"Log of the {_NAMES[campaign.channel]} campaign", _LOG_COLUMNS[campaign.channel])
        for message in sorted(messages, key=lambda each: rows.get(each.enrollment_id, 0)):
            cells = [
                str(rows.get(message.enrollment_id, "")),
                message.recipient,
                message.enrollment_id,
                f"[{_COLOURS.get(message.status, 'white')}]{message.status}[/]",
                message.reason or "",
                _time(max(message.instants.values(), default=None)),
            ]
            table.add_row(*cells, *([message.price] if campaign.channel == "sms" else []))
        self._console.print(table)

    def rejected(self, campaign: Campaign, errors: Sequence[RowError]) -> None:
        """Print the rejected rows, with what to do about each."""
        columns = ("row", "recipient", "code", "what to do")
        table = _table(f"Rejected rows of the {_NAMES[campaign.channel]} campaign", columns)
        for error in sorted(errors, key=lambda each: each.row):
            table.add_row(str(error.row), error.recipient, error.code, error.message)
        self._console.print(table)

    def totals(self, distributions: Sequence[Distribution]) -> None:
        table = _table("Totals", ("channel", "accepted", "rejected", "duplicates", *_ENDS))
        for each in distributions:
            table.add_row(
                _NAMES[each.channel],
                str(each.accepted),
                str(each.rejected),
                str(each.duplicates),
                *(str(each.counts.get(name, 0)) for name in _ENDS),
            )
        self._console.print(table)
        for each in distributions:
            why = ", ".join(f"{reason} {count}" for reason, count in each.by_reason.items())
            self.say(f"{_NAMES[each.channel]} failed because: {why}")
            if each.segments is not None:
                self.say(f"{_NAMES[each.channel]} cost {each.segments} segments: {' · '.join(each.prices)}")

    def conclusion(self, findings: Sequence[Finding], seconds: float) -> None:
        for finding in findings:
            row = "" if finding.row is None else f" row {finding.row}:"
            self.problem(f"{_NAMES[finding.channel]}:{row} {finding.text}")
        if findings:
            self.problem(f"{len(findings)} differences from what was expected, after {seconds:.0f} s.")
        else:
            self.say(f"[bold green]Every message got the status that its number asks for[/], in {seconds:.0f} s.")


def _table(title: str, columns: Sequence[str]) -> Table:
    """Make a table that fits into 80 columns: only the last column, which holds long texts, wraps."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in columns:
        right = name in {"row", "price", "accepted", "rejected", "duplicates", *_ENDS}
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "what to do")
    return table


def _time(instant: str | None) -> str:
    return instant[11:19] if instant else ""
