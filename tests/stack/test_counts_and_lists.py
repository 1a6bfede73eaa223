"""What a distribution counts is what the log lists, status by status and reason by reason (api.md, A message)."""

from collections import Counter

from tests.stack.programme import DELIVERED, Json, Programme, until

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


def test_a_cancel_lists_what_never_left_and_counts_what_it_lists(programme: Programme) -> None:
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


def test_cancelled_before_it_was_confirmed_it_counts_nothing(programme: Programme) -> None:
    people = [programme.recipient(DELIVERED + number) for number in range(3)]
    made = programme.ok(programme.distribute(recipients=people))
    cancelled = programme.ok(programme.act(made, "cancel"))
    for found in (cancelled, programme.distribution(made["distribution_id"])):
        assert (found["status"], found["accepted"]) == ("cancelled", 3)
        assert_counts_agree(found, [])
    assert listed(programme, made) == []
