"""The counts of a distribution equal the log's rows, by status and by reason (api.md, A message)."""

from collections import Counter
from datetime import datetime

from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import until

ROWS = 600
"""More than release logs ahead at one message a second."""


def listed(programme: Programme, made: Json) -> list[Json]:
    """The rows of the distribution, without its fallbacks and resends."""
    rows = programme.messages(distribution_id=made["distribution_id"], limit="200")
    return [row for row in rows if row["via"] == "distribution"]


def assert_counts_agree(found: Json, rows: list[Json]) -> None:
    assert {status: count for status, count in found["counts"].items() if count} == Counter(
        row["status"] for row in rows
    )
    assert found["by_reason"] == Counter(row["reason"] for row in rows if row["reason"])


def test_a_cancel_lists_the_unsent_rows_and_counts_them(programme: Programme) -> None:
    programme.put_sms(rate_per_second=1)
    people = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    made = programme.ok(programme.distribute(recipients=people, confirm=True))
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"])
    assert len(listed(programme, made)) < ROWS
    programme.ok(programme.act(made, "cancel"))
    found = until(
        lambda: programme.distribution(made["distribution_id"]),
        lambda found: not found["counts"]["pending"] + found["counts"]["sent"],
    )
    rows = listed(programme, made)
    assert len(rows) == ROWS
    assert_counts_agree(found, rows)
    assert found["by_reason"] == {"cancelled": ROWS - found["counts"]["delivered"]}
    cancelled = [row for row in rows if row["reason"] == "cancelled"]
    assert {(row["attempts"], row["sent_at"], row["failed_at"] is None) for row in cancelled} == {(0, None, False)}
    assert {row["price"] and row["price"]["amount"] for row in cancelled} == {None}
    assert {row["price"] and row["price"]["amount"] for row in rows if row["status"] == "delivered"} == {"12"}
    statistics = programme.ok(programme.api.get("/v1/campaigns/campaign/statistics"))
    assert (statistics["counts"], statistics["by_reason"]) == (found["counts"], found["by_reason"])


def test_a_distribution_cancelled_before_its_confirmation_counts_nothing(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(3)]
    made = programme.ok(programme.distribute(recipients=people))
    cancelled = programme.ok(programme.act(made, "cancel"))
    for found in (cancelled, programme.distribution(made["distribution_id"])):
        assert (found["status"], found["accepted"]) == ("cancelled", 3)
        assert_counts_agree(found, [])
    assert listed(programme, made) == []


def codes(found: Json) -> set[str]:
    return {warning["code"] for warning in found["warnings"]}


def test_newly_bought_units_end_the_warning_of_a_plan(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number, phone=f"+22462000{DELIVERED + number}") for number in range(3)]
    programme.stack.set_simulators(units={"GN": 1})
    try:
        planned = programme.ok(programme.distribute(recipients=people))
        assert "units_insufficient" in codes(planned)
        assert "units_insufficient" in codes(programme.distribution(planned["distribution_id"]))
    finally:
        programme.stack.set_simulators(units={"GN": 1000})
    until(
        lambda: programme.distribution(planned["distribution_id"]),
        lambda found: "units_insufficient" not in codes(found),
    )
    [listed_one] = programme.ok(programme.api.get("/v1/distributions"))["items"]
    assert "units_insufficient" not in codes(listed_one)


def test_the_estimated_end_follows_a_pause_and_a_resume(programme: Programme) -> None:
    programme.put_sms(rate_per_second=1)
    people = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    made = programme.ok(programme.distribute(recipients=people, confirm=True))
    released = until(lambda: programme.distribution(made["distribution_id"]), lambda one: one["counts"]["delivered"])
    first = released["estimated_end"]
    paused = programme.ok(programme.act(made, "pause"))
    assert (paused["status"], paused["estimated_end"]) == ("paused", None)
    resumed = programme.ok(programme.act(made, "resume"))
    assert datetime.fromisoformat(resumed["estimated_end"]) > datetime.fromisoformat(first)
    over = programme.ok(programme.act(made, "cancel"))
    assert over["estimated_end"] is None
