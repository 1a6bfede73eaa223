"""`skip_already_sent`: a person gets a card once in a campaign, unless the first message failed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.json import JsonObject
from shared.campaigns.create import NewDistribution
from shared.campaigns.distribution import Action, Distribution
from shared.campaigns.stored_content import PlannedRow
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from tests.fakes.office import DEMO, Office, recipient

ROWS = [recipient(number) for number in range(1, 11)]


@pytest.fixture
def office() -> Office:
    return Office()


def asked(office: Office, rows: Sequence[JsonObject], key: str = "second", campaign_id: str = "c") -> NewDistribution:
    new = office.new_distribution(rows, key=key)
    return replace(new, order=replace(new.order, skip_already_sent=True), campaign_id=campaign_id)


def planned(office: Office, rows: Sequence[JsonObject], key: str = "second", campaign_id: str = "c") -> Distribution:
    return office.run(office.planning().create(asked(office, rows, key, campaign_id)))


def sums(made: Distribution) -> tuple[int, int, int]:
    return made.planned.accepted, made.planned.rejected, made.planned.duplicates


def sent(office: Office, *, upto: int = 10, channel: Channel = Channel.SMS) -> Distribution:
    """Sends the first `upto` rows."""
    new = office.new_distribution(ROWS[:upto], channel=channel, confirm=True)
    made = office.run(office.planning().create(new))
    office.do_tasks()
    office.deliver(channel, within=timedelta(minutes=1))
    return made


def fail(office: Office, message_id: str) -> None:
    office.run(
        office.log.move(DEMO, message_id, Move(status=Status.FAILED, at=office.clock.now(), reason="undeliverable"))
    )


def rows_of(office: Office) -> list[str]:
    return [row.message_id for row in office.log.rows.values()]


@pytest.mark.parametrize("channel", Channel)
def test_a_person_with_the_card_is_skipped_on_every_channel(office: Office, channel: Channel) -> None:
    sent(office, upto=6, channel=channel)
    assert sums(planned(office, ROWS)) == (4, 0, 6)


def test_without_the_option_no_person_is_skipped(office: Office) -> None:
    sent(office)
    assert sums(office.run(office.planning().create(office.new_distribution(ROWS, key="second")))) == (10, 0, 0)


def test_another_card_number_or_campaign_is_not_skipped(office: Office) -> None:
    sent(office)
    assert sums(planned(office, [recipient(1, card_code="NEW"), recipient(11, card_code="CARD-1")])) == (2, 0, 0)
    assert sums(planned(office, ROWS, key="third", campaign_id="other")) == (10, 0, 0)


def test_a_failed_person_gets_another_message_which_then_counts(office: Office) -> None:
    sent(office)
    failed = rows_of(office)[:2]
    for message_id in failed:
        fail(office, message_id)
    assert sums(planned(office, ROWS)) == (2, 0, 8)
    again = office.run(office.resends().resend(DEMO, failed[0]))
    assert sums(planned(office, ROWS, key="third")) == (1, 0, 9)
    fail(office, again.message_id)
    assert sums(planned(office, ROWS, key="fourth")) == (2, 0, 8)
    office.run(office.resends().resend(DEMO, again.message_id))
    assert sums(planned(office, ROWS, key="fifth")) == (1, 0, 9)


def test_single_messages_of_the_campaign_count(office: Office) -> None:
    office.single(3)
    message = office.single(4)
    fail(office, message.message_id)
    assert sums(planned(office, ROWS)) == (9, 0, 1)
    office.run(office.resends().resend(DEMO, message.message_id))
    assert sums(planned(office, ROWS, key="third")) == (8, 0, 2)


def test_a_confirmed_distribution_counts_before_its_logging_and_a_planned_one_does_not(office: Office) -> None:
    first = office.run(office.planning().create(office.new_distribution(ROWS)))
    assert sums(planned(office, ROWS)) == (10, 0, 0)
    office.run(office.control.act(DEMO, first.distribution_id, Action.CONFIRM))
    assert not office.log.rows
    assert sums(planned(office, ROWS, key="third")) == (0, 0, 10)
    office.run(office.control.act(DEMO, first.distribution_id, Action.CANCEL))
    assert sums(planned(office, ROWS, key="fourth")) == (10, 0, 0)


def test_rows_that_cannot_be_sent_are_rejected_all_the_same(office: Office) -> None:
    sent(office, upto=5)
    made = planned(office, [*ROWS, recipient(1, phone="N/A"), ROWS[0], ROWS[9]])
    assert sums(made) == (5, 1, 7)


@pytest.mark.parametrize(
    "point",
    ["plans.write_chunk", "plans.write_dedupe_index", "plans.read_dedupe_index", "log.get_many", "distributions.save"],
)
def test_a_planning_run_killed_anywhere_makes_the_same_chunks_again(office: Office, point: str) -> None:
    sent(office, upto=4)
    undisturbed = planned(office, ROWS, key="undisturbed")
    new = asked(office, ROWS)
    assert office.killed(office.planning().create(new), (point, 1))
    office.clock.pass_by(minutes=5)
    made = office.run(office.planning().create(new))
    assert made.planned.attempt == 2
    assert sums(made) == sums(undisturbed) == (6, 0, 4)
    chunks = {
        tuple(row.row for row in rows if isinstance(row, PlannedRow))
        for key, rows in office.plans.objects.items()
        if isinstance(rows, tuple)
        and isinstance(rows[0], PlannedRow)
        and (made.distribution_id in key or undisturbed.distribution_id in key)
    }
    assert chunks == {(5, 6, 7, 8, 9, 10)}


def test_only_rows_that_match_are_looked_up(office: Office) -> None:
    sent(office, upto=10)
    before = office.points.passed["log.get_many"]
    planned(office, [recipient(number) for number in range(100, 160)])
    assert office.points.passed["log.get_many"] == before
