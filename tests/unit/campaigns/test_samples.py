"""Samples: which rows of a plan people look at, what they see, and when a sample is gone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Action, Distribution, Schedule, ScheduleMode
from shared.campaigns.samples import MOST_SAMPLES, Sample, SampleChoice
from shared.messages.message import Chunk
from shared.messages.payload import Channel, Mode, Payload
from tests.fakes.office import DEMO, Office, recipient

NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
SEVEN = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def office() -> Office:
    return Office()


def chosen(*rows: tuple[str, str | None, str]) -> list[int]:
    """The rows that are chosen among these, given as (country, language, text)."""
    choice = SampleChoice()
    for row, (country, language, text) in enumerate(rows, start=1):
        payload = Payload(to="+221770000001", country=country, mode=Mode.SMS, text=text, language=language)
        choice.add(payload, run=0, chunk=(row - 1) // 100, row=row)
    places = choice.chosen()
    assert all(place.chunk == (place.row - 1) // 100 for place in places)
    return [place.row for place in places]


SAME = ("SN", "fr", "Bonjour")
LONG = ("TN", "en", "Bonjour Aminata")
COUNTRIES = ("SN", "CI", "ML", "BF", "GN", "CM", "MG", "TN", "EG")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), []),
        ((SAME,), [1]),
        ((SAME,) * 500, [1, 2, 3]),
        ((*(SAME,) * 250, ("SN", "fr", "Bonjour Awa"), *(SAME,) * 10, ("SN", "fr", "Bonjour Ida")), [1, 2, 3, 251]),
        ((*(SAME,) * 10, ("SN", "en", "Hi"), ("SN", "en", "Hi")), [1, 2, 3, 11]),
        ((*(SAME,) * 10, ("SN", None, "Hi"), ("CI", "fr", "Hi")), [1, 2, 3, 11, 12]),
        ((*(SAME,) * 3, *((country, "fr", "x") for country in COUNTRIES)), [1, 2, 3, *range(5, 13)]),
        ((LONG, *((one, "fr", "x") for one in COUNTRIES for _ in range(4))), [1, 2, 3, *range(6, 27, 4), 34]),
    ],
    ids=["none", "one", "alike", "longest", "languages", "without a language", "countries", "mixed"],
)  # fmt: skip
def test_the_first_three_the_longest_and_one_of_each_language_and_country(
    rows: Sequence[tuple[str, str | None, str]], expected: list[int]
) -> None:
    assert chosen(*rows) == expected


def test_there_are_at_most_twelve_and_the_longest_and_the_languages_are_among_them() -> None:
    countries = [(f"{number:02d}", "fr", "x") for number in range(20)]
    found = chosen(*countries, ("00", "en", "y"), ("00", "fr", "the longest"))
    assert len(found) == MOST_SAMPLES
    assert {1, 2, 3, 21, 22} < set(found)


def planned(office: Office, rows: int = 250, channel: Channel = Channel.SMS, *, confirm: bool = False) -> Distribution:
    people = [recipient(number) for number in range(1, rows + 1)]
    return office.run(office.planning().create(office.new_distribution(people, channel=channel, confirm=confirm)))


def shown(office: Office, made: Distribution) -> Sequence[Sample]:
    return office.run(office.worker().samples.of(DEMO, made.distribution_id))


def refusal(office: Office, identity: str, organisation: str = DEMO) -> ProblemCode:
    with pytest.raises(Refusal) as refused:
        office.run(office.worker().samples.of(organisation, identity))
    return refused.value.code


@pytest.mark.parametrize("channel", Channel)
def test_a_sample_is_the_message_that_will_be_sent(office: Office, channel: Channel) -> None:
    made = planned(office, 3, channel)
    samples = shown(office, made)
    assert [sample.row.row for sample in samples] == [1, 2, 3]
    office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))
    office.finish(channel)
    sent = [office.run(office.plans.read_payload(office.row(one.row.message_id).payload)) for one in samples]
    assert [sample.payload for sample in samples] == sent


def test_the_samples_of_many_rows_cost_a_read_for_each_chunk_that_holds_one(office: Office) -> None:
    people = [recipient(number) for number in range(1, 2001)]
    people[1500] |= {"first_name": "Aminata Bineta Coumba"}
    made = office.run(office.planning().create(office.new_distribution(people)))
    before = dict(office.points.passed)
    assert [sample.row.row for sample in shown(office, made)] == [1, 2, 3, 1501]
    asked = {name: count - before.get(name, 0) for name, count in office.points.passed.items()}
    assert {name: count for name, count in asked.items() if count} == {"distributions.get": 1, "plans.read_chunk": 2}


def test_a_plan_that_is_made_again_has_its_own_samples(office: Office) -> None:
    people = [recipient(number) for number in range(1, 11)]
    new = office.new_distribution(people)
    assert office.killed(office.planning().create(new), ("distributions.save", 1))
    office.clock.pass_by(seconds=61)
    made = office.run(office.planning().create(new))
    assert made.planned.attempt == 2
    assert len(shown(office, made)) == 4


def test_an_erased_person_is_not_shown(office: Office) -> None:
    made = planned(office, 5)
    chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
    person = office.number_key.person(DEMO, "+221770000002")
    office.run(office.plans.erase_person(DEMO, made.planned.attempt, chunk, person))
    assert [sample.row.row for sample in shown(office, made)] == [1, 3]


def test_there_are_none_before_the_plan_and_without_an_accepted_row(office: Office) -> None:
    rejected = office.run(office.planning().create(office.new_distribution([recipient(1, phone="N/A")])))
    assert shown(office, rejected) == []
    new = office.new_distribution([recipient(1)], key="dies")
    assert office.killed(office.planning().create(new), ("distributions.save", 1))
    [planning] = [one for one in office.distributions.items.values() if one.plan is None]
    assert shown(office, planning) == []


def test_expired_content_and_another_organisations_distribution_are_not_found(office: Office) -> None:
    made = planned(office, 5)
    assert refusal(office, made.distribution_id, "other") is ProblemCode.NOT_FOUND
    assert refusal(office, "x") is ProblemCode.NOT_FOUND
    office.plans.objects.clear()
    assert refusal(office, made.distribution_id) is ProblemCode.NOT_FOUND


@pytest.mark.parametrize(
    ("channel", "at", "now", "expected"),
    [
        (Channel.SMS, None, None, None),
        (Channel.SMS, NOON, None, NOON),
        (Channel.SMS, None, NIGHT, SEVEN),
        (Channel.WHATSAPP, None, NIGHT, None),
    ],
    ids=["now", "at", "quiet hours", "WhatsApp at night"],
)
def test_a_sample_tells_when_it_may_leave(
    office: Office, channel: Channel, at: datetime | None, now: datetime | None, expected: datetime | None
) -> None:
    schedule = Schedule(mode=ScheduleMode.AT, at=at) if at else Schedule()
    new = replace(office.new_distribution([recipient(1)], channel=channel), schedule=schedule)
    made = office.run(office.planning().create(new))
    office.clock.instant = now or office.clock.instant
    assert [sample.scheduled_for for sample in shown(office, made)] == [expected]


def test_a_released_or_cancelled_row_has_no_time(office: Office) -> None:
    released = planned(office, 5, confirm=True)
    office.do_tasks()
    cancelled = office.run(office.planning().create(office.new_distribution([recipient(9)], key="cancelled")))
    office.run(office.control.act(DEMO, cancelled.distribution_id, Action.CANCEL))
    office.clock.instant = NIGHT
    for made in (released, cancelled):
        assert {sample.scheduled_for for sample in shown(office, made)} == {None}
