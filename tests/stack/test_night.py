"""Quiet hours on the running stack: a campaign stops at 21:00 and goes on at 07:00."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Programme
from tests.stack.running import UNTHROTTLED, RunningStack, started
from tests.waiting import until

EVENING = datetime(2026, 11, 23, 20, 58, tzinfo=UTC)
"""In Dakar, where it is UTC all year."""
MORNING = "2026-11-24T07:00:00Z"
ANSWER_LOST = 404
"""docs/simulators.md: Orange takes the message, the connection is reset, and the receipt comes."""


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(tmp_path_factory.mktemp("evening") / "log", NOW=EVENING.isoformat()) as running:
        yield running


def test_a_campaign_stops_at_21_and_goes_on_at_7(evening: RunningStack) -> None:
    evening.set_simulators(orange_rate_per_second=UNTHROTTLED)
    with Programme(evening, "night", rate=30) as programme:
        lost = programme.ok(programme.send(programme.recipient(ANSWER_LOST)))
        programme.settled(lost["message_id"], "failed")
        rows = [programme.recipient(DELIVERED + number) for number in range(150)]
        madagascan = programme.recipient(0, phone="+261320008200")
        with evening.taking_up("SmsQueue", 100):  # not all messages can leave before the night
            made = programme.distribute(recipients=[*rows, madagascan], confirm=True).json()
            assert made["status"] == "sending"
            assert made["estimated_end"].startswith("2026-11-24T04:00:00")
            until(lambda: programme.ledger("orange"), lambda ledger: len(ledger) >= 10)
            programme.move_to(datetime(2026, 11, 23, 20, 59, 58, tzinfo=UTC))
            single = programme.ok(programme.send(programme.recipient(DELIVERED + 900)))
            until(evening.now, lambda now: now.hour == 21)
        late = programme.ok(programme.send(programme.recipient(DELIVERED + 901)))
        assert late["scheduled_for"] == MORNING
        assert _previewed(programme)["scheduled_for"] == MORNING
        asked = programme.distribute(recipients=[programme.recipient(DELIVERED + 902)]).json()
        assert (asked["status"], asked["starts_at"]) == ("planned", MORNING)
        assert programme.api.post("/v1/integrations/sms/test", json={"to": "+221770008200"}).json()["code"] == (
            "quiet_hours"
        )
        evening_ledger = programme.ledger("orange")
        programme.move_to(datetime(2026, 11, 24, 6, 59, 0, tzinfo=UTC))
        night = programme.ledger("orange")
        assert not [entry for entry in night if not _open(entry)]
        assert [entry for entry in night if not _abroad(entry)] == evening_ledger
        held = programme.distribution(made["distribution_id"])
        assert held["status"] == "sending"
        assert held["counts"]["pending"] > 0
        programme.move_to(datetime(2026, 11, 24, 7, 0, 30, tzinfo=UTC))
        for message_id in (single["message_id"], late["message_id"]):
            programme.settled(message_id, "delivered")
        until(lambda: programme.ledger("orange"), lambda ledger: len(ledger) >= 130)
        # If the jump of the clock interrupted a worker, its queue message comes again after the visibility time-out.
        programme.move_to(datetime(2026, 11, 24, 7, 10, 0, tzinfo=UTC))
        done = until(
            lambda: programme.distribution(made["distribution_id"]),
            lambda found: found["counts"]["delivered"] == 151,
        )
        ledger = programme.ledger("orange")
        assert len(ledger) == len({entry["recipient"] for entry in ledger}) == 154, done
        assert not [entry for entry in ledger if not _open(entry)]
        # Its answer was lost. The unmatched receipt was the only one for the only message with an unknown outcome.
        found = programme.message(lost["message_id"])
        assert (found["status"], found["reason"], found["attempts"]) == ("delivered", None, 1)


def _previewed(programme: Programme) -> dict[str, Any]:
    body = {"channel": "sms", "content": {"text": "Bonjour"}, "recipients": [programme.recipient(DELIVERED)]}
    [item] = programme.ok(programme.api.post("/v1/preview", json=body))["items"]
    found: dict[str, Any] = item
    return found


def _open(entry: dict[str, str]) -> bool:
    """Whether it was between 07:00 and 21:00 in the recipient's country."""
    at = datetime.fromisoformat(entry["at"])
    local = at + timedelta(hours=3) if _abroad(entry) else at
    return 7 <= local.hour < 21


def _abroad(entry: dict[str, str]) -> bool:
    return entry["recipient"].startswith("+261")
