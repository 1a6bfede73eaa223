"""Finds SMS fallbacks to people whose WhatsApp message had arrived, without a reason that allows them.

This is a part of the checker and imports nothing of the product. A fallback is allowed if the message had failed, or if
a day had passed. It is also allowed if a report had reached our webhook: about the message itself, about one that was
sent later, or with a time near the fallback's. The product cannot know more than that.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.simulation.evidence import Call, Evidence, Reported, Row

AT_THE_LATEST = timedelta(hours=24)
SLACK = timedelta(seconds=62)
"""A minute before its time, plus the rounding of times in whole seconds."""


def second_messages(evidence: Evidence) -> Iterator[str]:
    """The text of each violation."""
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
