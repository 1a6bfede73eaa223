"""What the demo puts on the terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.demo.api import Distribution, Message, RowError
from local.demo.check import Finding
from local.sample.expected import Campaign, Verdict

_NAMES = {"whatsapp": "WhatsApp", "sms": "SMS"}
_COLOURS = {"read": "green", "delivered": "green", "sent": "cyan", "pending": "yellow", "failed": "red"}
_ENDS = ("sent", "delivered", "read", "failed")


class Bars:
    """One progress bar a campaign: what has left, by how far it came."""

    def __init__(self, progress: Progress, tasks: dict[str, TaskID]) -> None:
        self._progress = progress
        self._tasks = tasks

    def show(self, campaign: Campaign, distribution: Distribution) -> None:
        counts = {name: distribution.counts.get(name, 0) for name in _ENDS}
        parts = "  ".join(f"[{_COLOURS[name]}]{name} {count}[/]" for name, count in counts.items())
        self._progress.update(self._tasks[campaign.channel], completed=sum(counts.values()), parts=parts)


class Screen:
    """Works on a terminal and into a file alike."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def problem(self, text: str) -> None:
        self._console.print(text, style="bold red", highlight=False, markup=False)

    def plan(self, plan: Distribution) -> None:
        """What the officer sees before confirming."""
        parts = [f"{plan.accepted} to send", f"{plan.rejected} rejected", f"{plan.duplicates} duplicates"]
        if plan.segments is not None:
            parts.append(f"{plan.segments} segments")
        parts += [price for price in plan.prices if price]
        self.say(f"[bold]{_NAMES[plan.channel]}[/] planned: {', '.join(parts)}")
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
                    each.channel: progress.add_task(_NAMES[each.channel], total=each.count(Verdict.ACCEPTED), parts="")
                    for each in campaigns
                },
            )

    def log(self, campaign: Campaign, messages: Sequence[Message]) -> None:
        """The masked log, as anyone in the programme may read it; in the order of the file."""
        rows = {each.enrollment_id: each.row for each in campaign.expected}
        table = Table(title=f"Log of the {_NAMES[campaign.channel]} campaign", title_justify="left")
        for name in ("row", "recipient", "enrolment", "status", "reason", "sent", "delivered", "read"):
            table.add_column(name, no_wrap=True, justify="right" if name == "row" else "left")
        if campaign.channel == "sms":
            table.add_column("segments", justify="right")
            table.add_column("price", justify="right", no_wrap=True)
        for message in sorted(messages, key=lambda each: rows.get(each.enrollment_id, 0)):
            cells = [
                str(rows.get(message.enrollment_id, "")),
                message.recipient,
                message.enrollment_id,
                f"[{_COLOURS.get(message.status, 'white')}]{message.status}[/]",
                message.reason or "",
                *(_time(message.instants.get(name)) for name in ("sent_at", "delivered_at", "read_at")),
            ]
            if campaign.channel == "sms":
                cells += [str(message.segments or ""), message.price]
            table.add_row(*cells)
        self._console.print(table)

    def rejected(self, campaign: Campaign, errors: Sequence[RowError]) -> None:
        """Who will not get a message, and what to do about it."""
        table = Table(title=f"Rejected rows of the {_NAMES[campaign.channel]} campaign", title_justify="left")
        for name in ("row", "recipient", "field", "code"):
            table.add_column(name, no_wrap=True, justify="right" if name == "row" else "left")
        table.add_column("what it means")
        for error in sorted(errors, key=lambda each: each.row):
            table.add_row(str(error.row), error.recipient, error.field, error.code, error.message)
        self._console.print(table)

    def totals(self, distributions: Sequence[Distribution]) -> None:
        table = Table(title="Totals", title_justify="left")
        for name in ("channel", "accepted", "rejected", "duplicates", *_ENDS, "failed because", "segments", "price"):
            table.add_column(name, justify="right" if name not in {"channel", "failed because", "price"} else "left")
        for each in distributions:
            table.add_row(
                _NAMES[each.channel],
                str(each.accepted),
                str(each.rejected),
                str(each.duplicates),
                *(str(each.counts.get(name, 0)) for name in _ENDS),
                "\n".join(f"{reason} {count}" for reason, count in each.by_reason.items()),
                "" if each.segments is None else str(each.segments),
                "\n".join(price for price in each.prices if price),
            )
        self._console.print(table)

    def verdict(self, findings: Sequence[Finding], seconds: float) -> None:
        for finding in findings:
            row = "" if finding.row is None else f" row {finding.row}:"
            self.problem(f"{_NAMES[finding.channel]}:{row} {finding.text}")
        if findings:
            self.problem(f"{len(findings)} things are not as they should be, after {seconds:.0f} s.")
        else:
            self.say(f"[bold green]Every message came to the end its number asked for[/], in {seconds:.0f} s.")


def _time(instant: str | None) -> str:
    return instant[11:19] if instant else ""
