"""Whether an SMS went to a person whose WhatsApp message had arrived, although nothing allowed that. A part of the
checker: it imports nothing of the product either.

It is allowed where the provider had said that the message failed, where a day had passed, or where our door had heard
that the provider was reporting: of the message itself, of one that was sent later, or of anything around the time at
which the SMS was due. What it had not heard by then nobody could know.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.simulation.evidence import Call, Evidence, Reported, Row

AT_THE_LATEST = timedelta(hours=24)
SLACK = timedelta(seconds=62)
"""A minute before its time, and what instants in whole seconds leave open."""


def second_messages(evidence: Evidence) -> Iterator[str]:
    """In words."""
    rows = {row["message_id"]: row for row in evidence["rows"]}
    arrived: dict[str, datetime] = {}
    for one in evidence["arrivals"]:
        name = one["key"].partition(".")[0]
        arrived[name] = min(one["at"], arrived.get(name, one["at"]))
    for row in rows.values():
        parent = rows.get(row["parent"] or "")
        if parent is None or (row["channel"], parent["channel"]) != ("sms", "whatsapp"):
            continue
        at = arrived.get(parent["message_id"])
        for call in evidence["calls"]:
            is_its = call["taken"] and (call["card"], call["channel"]) == (row["card"], "sms")
            if is_its and at is not None and at < call["at"] and not _is_allowed(parent, call, evidence):
                yield f"{row['card']}: an SMS at {call['at']} after WhatsApp had brought it at {at}"


def _is_allowed(parent: Row, sms: Call, evidence: Evidence) -> bool:
    calls = {call["key"]: call["at"] for call in evidence["calls"] if call["taken"] and call["key"]}
    mine = [at for key, at in calls.items() if key.partition(".")[0] == parent["message_id"]]
    if not mine or sms["at"] - min(mine) >= AT_THE_LATEST or _had_failed(parent, sms, evidence):
        return True
    sent_at = max(mine)
    due = sent_at + timedelta(minutes=parent["fallback_minutes"] or 0) - SLACK
    late = timedelta(seconds=evidence["grace"])
    return any(
        reported["at"] <= sms["at"] + late and _is_reporting(reported, parent, sent_at - late, due, calls)
        for reported in evidence["reported"]
        if reported["channel"] == "whatsapp"
    )


def _is_reporting(reported: Reported, parent: Row, since: datetime, due: datetime, calls: dict[str, datetime]) -> bool:
    is_its_own = reported["key"].partition(".")[0] == parent["message_id"]
    is_of_a_later_one = reported["key"] in calls and calls[reported["key"]] > since
    return is_its_own or is_of_a_later_one or reported["stamp"] >= due


def _had_failed(parent: Row, sms: Call, evidence: Evidence) -> bool:
    changes = [one for one in evidence["changes"] if one["message_id"] == parent["message_id"]]
    return any(one["status"] == "failed" and one["at"] <= sms["at"] for one in changes)
