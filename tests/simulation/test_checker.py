"""The checker reports every violation, and nothing for good evidence. It knows the product only from outside."""

import ast
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simulation import checker, evidence, silence
from tests.simulation.checker import violations
from tests.simulation.evidence import (
    Arrival,
    Call,
    Change,
    ConsentStatement,
    Deed,
    Evidence,
    Fetch,
    Idle,
    Person,
    Reported,
    Row,
    State,
    Unknown,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OF_THE_CHECKER = {"tests.simulation.evidence", "tests.simulation.silence"}
NIGHT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def person(number: int, channel: str, country: str = "SN", distribution: str | None = "d") -> Person:
    return Person(
        card=f"CARD-{number}",
        number=f"+2217700{number:05d}",
        country=country,
        channel=channel,
        distribution=distribution,
        not_before=None,
        off_peak=False,
        consent=channel == "whatsapp",
        skips=False,
        granted_at=None,
        answered=NOON - MINUTE,
    )


def row(number: int, channel: str, status: str = "sent", distribution: str | None = "d") -> Row:
    return Row(
        message_id=f"m-{number}",
        parent=None,
        distribution=distribution,
        channel=channel,
        card=f"CARD-{number}",
        status=status,
        reason="outcome_unknown" if status == "failed" else None,
        resent=False,
        attempts=1,
        fallback_minutes=None,
    )


def call(number: int, channel: str, at: datetime = NOON) -> Call:
    key = f"m-{number}.1" if channel == "whatsapp" else ""
    card, to = f"CARD-{number}", f"+2217700{number:05d}"
    return Call(
        at=at, channel=channel, number=to, card=card, key=key, taken=True, stop="", upload="", picture_refused=False
    )


def reported(number: int, status: str, at: datetime, stamp: datetime | None = None) -> Reported:
    key = f"m-{number}.1"
    return Reported(
        at=at, stamp=stamp or at, channel="whatsapp", card=f"CARD-{number}", key=key, names_key=True, status=status
    )


@pytest.fixture
def good() -> Evidence:
    """A WhatsApp message and an SMS of one distribution, and a single SMS."""
    return Evidence(
        people=[person(1, "whatsapp"), person(2, "sms"), person(3, "sms", distribution=None)],
        calls=[call(1, "whatsapp"), call(2, "sms"), call(3, "sms")],
        fetches=[],
        rows=[row(1, "whatsapp", "read"), row(2, "sms"), row(3, "sms", distribution=None)],
        deeds=[Deed(distribution="d", action="confirm", asked=NOON - MINUTE, done=NOON - MINUTE)],
        states=[State(distribution="d", at=NOON - MINUTE, status="sending")],
        statements=[],
        reported=[reported(1, "read", NOON + MINUTE)],
        arrivals=[Arrival(key="m-1.1", at=NOON + MINUTE)],
        changes=[
            Change(message_id="m-1", at=NOON, status="sent"),
            Change(message_id="m-1", at=NOON + MINUTE, status="read"),
        ],
        unknown=[],
        accepted={"d": 2},
        retries={},
        counts={"d": {"read": 1, "sent": 1}},
        idle=[],
        reasons={},
        fallbacks={},
        rates={"sms": 5, "whatsapp": 10},
        grace=0.5,
    )


def kinds(found: Evidence) -> set[str]:
    return {wrong.kind for wrong in violations(found)}


def test_good_evidence_has_no_violations(good: Evidence) -> None:
    assert violations(good) == []


def _pending(one: Evidence) -> None:
    one["rows"][1]["status"] = "pending"
    one["counts"] = {"d": {"read": 1, "pending": 1}}


def _no_row(one: Evidence) -> None:
    one["rows"] = one["rows"][:2]


def _two_rows(one: Evidence) -> None:
    one["rows"] = [*one["rows"], {**one["rows"][2], "message_id": "m-4"}]


def _not_taken(one: Evidence) -> None:
    one["calls"][0]["taken"] = False


def _denied(one: Evidence) -> None:
    one["rows"][1].update({"status": "failed", "reason": "cancelled"})
    one["counts"] = {"d": {"read": 1, "failed": 1}}


def _stranger(one: Evidence) -> None:
    one["rows"] = [*one["rows"], {**row(9, "sms"), "distribution": None}]
    one["calls"] = [*one["calls"], call(9, "sms")]


def _twice(one: Evidence) -> None:
    one["calls"] = [*one["calls"], call(2, "sms", NOON + MINUTE)]


def _twice_by_whatsapp(one: Evidence) -> None:
    one["calls"] = [*one["calls"], call(1, "whatsapp", NOON + 20 * MINUTE)]


def _reported_and_resent(one: Evidence) -> None:
    one["calls"] = [*one["calls"], call(1, "whatsapp", NOON + 20 * MINUTE)]
    one["rows"][0]["resent"] = True


def _resent_too_soon(one: Evidence) -> None:
    one["calls"] = [*one["calls"], call(1, "whatsapp", NOON + 14 * MINUTE)]
    one["rows"][0]["resent"] = True
    one["reported"] = []


def _thrice(one: Evidence) -> None:
    one["calls"] = [*one["calls"], *(call(1, "whatsapp", NOON + minutes * MINUTE) for minutes in (20, 40))]
    one["rows"][0]["resent"] = True
    one["reported"] = []


def _at_night(one: Evidence) -> None:
    one["calls"][1]["at"] = NIGHT


def _in_egypt(one: Evidence) -> None:
    """In winter: UTC+2."""
    one["people"][2]["country"] = "EG"
    one["calls"][2]["at"] = NIGHT - timedelta(hours=2)


def _in_egypts_summer(one: Evidence) -> None:
    """UTC+3: 18:30 UTC is 21:30 there."""
    one["people"][2]["country"] = "EG"
    one["calls"][2]["at"] = datetime(2026, 7, 1, 18, 30, tzinfo=UTC)


def _before_the_morning(one: Evidence) -> None:
    one["calls"][2]["at"] = datetime(2026, 11, 24, 6, 59, 59, tzinfo=UTC)


def _at_peak(one: Evidence) -> None:
    one["people"][2]["off_peak"] = True
    one["calls"][2]["at"] = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def _before_its_time(one: Evidence) -> None:
    one["people"][0]["not_before"] = NOON + timedelta(seconds=1)


def _too_fast(one: Evidence) -> None:
    """At 5 a second, 5.5 s may be late: 28 calls at once are allowed; the evidence has 30."""
    more = [call(2, "sms") for _ in range(28)]
    for one_more in more:
        one_more["taken"] = False
    one["calls"] = [*one["calls"], *more]


def _paused(one: Evidence) -> None:
    one["states"] = [*one["states"], State(distribution="d", at=NOON - timedelta(seconds=2), status="paused")]


def _paused_by_reason_only(one: Evidence) -> None:
    done = NOON - timedelta(seconds=2)
    one["deeds"] = [*one["deeds"], Deed(distribution="d", action="pause", asked=done, done=done)]


def _unconfirmed(one: Evidence) -> None:
    one["states"] = [State(distribution="d", at=NOON - MINUTE, status="planned")]


def _cancelled(one: Evidence) -> None:
    done = NOON - timedelta(seconds=2)
    one["deeds"] = [
        *one["deeds"],
        Deed(distribution="d", action="cancel", asked=done, done=done),
        Deed(distribution="d", action="resume", asked=done, done=done),
    ]


def _revoked(one: Evidence) -> None:
    at = NOON - timedelta(seconds=2)
    one["statements"] = [
        ConsentStatement(number=one["people"][2]["number"], granted=False, asked=at, done=at, dated=None)
    ]


def _revoked_before_a_grant_that_was_received_earlier(one: Evidence) -> None:
    """The grant has the later date, but it came with the request, before the revocation."""
    _revoked(one)
    one["statements"] = [ConsentStatement({**one["statements"][0], "dated": NOON - 60 * MINUTE})]
    one["people"][2]["granted_at"] = NOON - 30 * MINUTE


def _a_grant_with_an_earlier_date(one: Evidence) -> None:
    """It was received later."""
    _revoked(one)
    one["people"][2]["granted_at"], one["people"][2]["answered"] = NOON - MINUTE, NOON - timedelta(seconds=1)


def _never_agreed(one: Evidence) -> None:
    one["people"][0]["consent"] = False


def _backwards(one: Evidence) -> None:
    one["changes"] = [*one["changes"], Change(message_id="m-1", at=NOON + 2 * MINUTE, status="delivered")]


def _failed_after_arrival(one: Evidence) -> None:
    one["changes"] = [*one["changes"], Change(message_id="m-1", at=NOON + 2 * MINUTE, status="failed")]


def _miscounted(one: Evidence) -> None:
    one["counts"] = {"d": {"read": 2}}


def _miscounted_until_the_recount(one: Evidence) -> None:
    shown, listed = {"sent": 2, "delivered": 1}, {"sent": 1, "delivered": 1}
    one["idle"] = [Idle(distribution="d", at=NOON + 5 * MINUTE, shown=shown, listed=listed)]


def _counted_for_another_reason(one: Evidence) -> None:
    _failed_when_cancelled(one)
    one["reasons"] = {"d": {"erased": 1}}


def _failed_when_cancelled(one: Evidence) -> None:
    """The SMS had not left yet."""
    at = NOON - timedelta(seconds=2)
    one["deeds"] = [*one["deeds"], Deed(distribution="d", action="cancel", asked=at, done=at)]
    one["calls"] = [call(3, "sms")]
    one["reported"], one["changes"], one["arrivals"] = [], [], []
    for number in (0, 1):
        one["rows"][number].update({"status": "failed", "reason": "cancelled"})
    one["counts"], one["reasons"] = {"d": {"failed": 2}}, {"d": {"cancelled": 2}}


def _cancelled_and_not_listed(one: Evidence) -> None:
    _failed_when_cancelled(one)
    one["rows"] = [one["rows"][0], one["rows"][2]]


def _counted_without_confirmation(one: Evidence) -> None:
    one["people"] = [*one["people"], person(5, "sms", distribution="e")]
    one["accepted"], one["counts"] = {"d": 2, "e": 1}, {**one["counts"], "e": {"failed": 1}}


def _not_accepted(one: Evidence) -> None:
    one["accepted"] = {"d": 1}


def _arrival_forgotten(one: Evidence) -> None:
    one["rows"][0]["status"] = "sent"
    one["counts"] = {"d": {"sent": 2}}


def _receipt_forgotten(one: Evidence) -> None:
    """Orange's receipt names no attempt of ours, only the card."""
    reported = Reported(
        at=NOON + MINUTE, stamp=NOON + MINUTE, channel="sms", card="CARD-2", key="", names_key=False, status="delivered"
    )
    one["reported"] = [*one["reported"], reported]


def _no_reason(one: Evidence) -> None:
    one["rows"][1]["status"] = "failed"
    one["counts"] = {"d": {"read": 1, "failed": 1}}


def _unknown(one: Evidence, number: int, channel: str) -> None:
    one["unknown"] = [
        Unknown(message_id=f"m-{number}", attempt=1, channel=channel, card=f"CARD-{number}", at=NOON, excused=False)
    ]


def _unknown_without_a_call(one: Evidence) -> None:
    one["rows"][1].update({"status": "failed", "reason": "outcome_unknown"})
    one["calls"] = [call for call in one["calls"] if call["card"] != "CARD-2"]
    one["counts"], one["reasons"] = {"d": {"read": 1, "failed": 1}}, {"d": {"outcome_unknown": 1}}
    _unknown(one, 2, "sms")


def _unknown_beside_one_that_has_gone(one: Evidence) -> None:
    """The card's only call belongs to the other message."""
    again = Row(**{**row(2, "sms", "failed"), "message_id": "m-9", "parent": "m-2", "distribution": None})
    one["rows"] = [*one["rows"], again]
    _unknown(one, 2, "sms")
    one["unknown"][0]["message_id"] = "m-9"


def _unknown_without_a_call_of_that_attempt(one: Evidence) -> None:
    one["calls"][0]["key"] = "m-1.2"
    _unknown(one, 1, "whatsapp")


def _on_a_second_list(one: Evidence, *, skips: bool, sent: bool) -> None:
    """The person of the first SMS is in a second distribution, a minute later."""
    again = Person(**{**one["people"][1], "distribution": "e", "skips": skips})
    reason = None if sent else "already_sent"
    second = Row(**{**one["rows"][1], "message_id": "m-5", "distribution": "e", "reason": reason})
    second["status"] = "sent" if sent else "failed"
    one["people"], one["rows"] = [*one["people"], again], [*one["rows"], second]
    one["calls"] = [*one["calls"], *([call(2, "sms", NOON + MINUTE)] if sent else [])]
    one["deeds"] = [*one["deeds"], Deed(distribution="e", action="confirm", asked=NOON, done=NOON)]
    one["states"] = [*one["states"], State(distribution="e", at=NOON, status="sending")]
    one["accepted"], one["counts"] = {"d": 2, "e": 1}, {**one["counts"], "e": {second["status"]: 1}}
    one["reasons"] = {"e": {reason: 1}} if reason else {}


def _both_ask(one: Evidence) -> None:
    _on_a_second_list(one, skips=True, sent=True)
    one["people"][1]["skips"] = True


def _the_later_one_asks(one: Evidence) -> None:
    _on_a_second_list(one, skips=True, sent=True)


def _each_leaves_it_to_the_other(one: Evidence) -> None:
    _on_a_second_list(one, skips=True, sent=False)
    one["people"][1]["skips"] = True
    one["calls"] = [one["calls"][0], one["calls"][2]]
    one["rows"][1].update({"status": "failed", "reason": "already_sent"})
    one["counts"] = {"d": {"read": 1, "failed": 1}, "e": {"failed": 1}}


def _failed_for_its_card(one: Evidence, *fetches: Fetch, distribution: str | None = "d") -> None:
    """The first message fails for its card, without a call to a provider."""
    one["people"][0]["distribution"] = one["rows"][0]["distribution"] = distribution
    one["rows"][0] |= {"status": "failed", "reason": "card_unreachable"}
    one["calls"] = one["calls"][1:]
    one["people"] = [*one["people"], person(4, "whatsapp")]
    one["rows"] = [*one["rows"], row(4, "whatsapp", "read")]
    one["calls"] = [*one["calls"], call(4, "whatsapp")]
    one["changes"], one["reported"], one["fetches"] = [], [], fetches
    one["accepted"] = {"d": 3 if distribution else 2}
    one["counts"] = {"d": {"failed": 1, "read": 1, "sent": 1} if distribution else {"read": 1, "sent": 1}}
    one["reasons"] = {"d": {"card_unreachable": 1}} if distribution else {}


def fetch(number: int, minutes: float, *, served: bool) -> Fetch:
    return Fetch(at=NOON + minutes * MINUTE, card=f"CARD-{number}", served=served)


def _failed_at_its_first_try(one: Evidence) -> None:
    _failed_for_its_card(one, fetch(1, 0, served=False), fetch(4, 1, served=True))


def _failed_with_its_host(one: Evidence) -> None:
    """The host served no other card in between."""
    _failed_for_its_card(one, fetch(4, 0, served=True), *(fetch(1, minute, served=False) for minute in (1, 2, 4)))


def _failed_as_its_host_came_back(one: Evidence) -> None:
    """The card was not requested again."""
    _failed_for_its_card(one, *(fetch(1, minute, served=False) for minute in (0, 2)), fetch(4, 2.1, served=True))


def _failed_for_another_list(one: Evidence) -> None:
    tries = [fetch(1, minute, served=False) for minute in (0, 2)]
    _failed_for_its_card(one, *tries, fetch(3, 1, served=True))


def _given_up_too_soon(one: Evidence) -> None:
    tries = [fetch(1, minute, served=False) for minute in (0, 1, 2, 4, 8)]
    _failed_for_its_card(one, *tries, fetch(4, 9, served=True), distribution=None)


def _failure_forgotten(one: Evidence) -> None:
    one["rows"][0]["status"], one["changes"] = "sent", one["changes"][:1]
    one["reported"], one["arrivals"] = [reported(1, "failed", NOON + MINUTE)], []
    one["counts"] = {"d": {"sent": 2}}


def _failed_for_its_picture(one: Evidence, *uploads: str) -> None:
    one["rows"][0] |= {"status": "failed", "reason": "card_not_a_picture"}
    refused = [call(1, "whatsapp") for _ in uploads]
    for one_call, upload in zip(refused, uploads, strict=True):
        one_call["upload"], one_call["picture_refused"], one_call["taken"] = upload, True, False
    one["calls"] = [*refused, *one["calls"][1:]]
    one["changes"], one["reported"], one["arrivals"] = [], [], []
    one["counts"], one["reasons"] = {"d": {"failed": 1, "sent": 1}}, {"d": {"card_not_a_picture": 1}}


def _not_uploaded_anew(one: Evidence) -> None:
    _failed_for_its_picture(one, "media-1", "media-1")


def _uploaded_anew_twice(one: Evidence) -> None:
    _failed_for_its_picture(one, "media-1", "media-2", "media-3")


WRONGS: dict[Callable[[Evidence], None], str] = {
    **dict.fromkeys((_pending, _no_row, _two_rows, _not_taken, _not_accepted), "lost"),
    **dict.fromkeys((_arrival_forgotten, _receipt_forgotten, _failure_forgotten, _not_uploaded_anew), "lost"),
    _uploaded_anew_twice: "wrong",
    **dict.fromkeys((_twice, _twice_by_whatsapp, _reported_and_resent, _resent_too_soon, _thrice), "doubled"),
    **dict.fromkeys((_both_ask, _the_later_one_asks), "doubled"),
    _each_leaves_it_to_the_other: "lost",
    **dict.fromkeys((_at_night, _in_egypt, _in_egypts_summer, _before_the_morning, _at_peak), "early"),
    **dict.fromkeys((_before_its_time, _too_fast, _paused, _paused_by_reason_only, _unconfirmed), "early"),
    **dict.fromkeys((_cancelled, _revoked, _never_agreed), "early"),
    **dict.fromkeys((_revoked_before_a_grant_that_was_received_earlier, _a_grant_with_an_earlier_date), "early"),
    **dict.fromkeys((_unknown_without_a_call, _unknown_beside_one_that_has_gone), "wrong"),
    _unknown_without_a_call_of_that_attempt: "wrong",
    **dict.fromkeys((_failed_at_its_first_try, _failed_with_its_host, _failed_as_its_host_came_back), "wrong"),
    **dict.fromkeys((_given_up_too_soon, _failed_for_another_list), "wrong"),
    **dict.fromkeys(
        (_counted_for_another_reason, _counted_without_confirmation, _miscounted_until_the_recount), "wrong"
    ),
    _cancelled_and_not_listed: "lost",
    **dict.fromkeys((_denied, _stranger, _backwards, _failed_after_arrival, _miscounted, _no_reason), "wrong"),
}


@pytest.mark.parametrize(("spoil", "kind"), WRONGS.items(), ids=lambda one: getattr(one, "__name__", one))
def test_each_kind_of_violation_is_reported(good: Evidence, spoil: Callable[[Evidence], None], kind: str) -> None:
    spoiled = deepcopy(good)
    spoil(spoiled)
    assert kind in kinds(spoiled)


def test_rows_that_a_cancel_ended_before_they_left_are_no_violation(good: Evidence) -> None:
    _failed_when_cancelled(good)
    assert violations(good) == []


def test_a_missing_card_may_fail_its_message(good: Evidence) -> None:
    alone = deepcopy(good)
    tries = [fetch(1, minute, served=False) for minute in (0, 2, 2.2)]
    _failed_for_its_card(good, *tries, fetch(4, 2.1, served=True))
    assert kinds(good) == set()
    tries = [fetch(1, minute, served=False) for minute in (0, 1, 2, 4, 8, 16)]
    _failed_for_its_card(alone, *tries, distribution=None)
    assert kinds(alone) == set()


def test_a_message_may_fail_for_its_picture_after_two_uploads(good: Evidence) -> None:
    _failed_for_its_picture(good, "media-1", "media-2")
    assert violations(good) == []


def test_a_failure_without_our_key_does_not_forbid_a_resend(good: Evidence) -> None:
    """The first call's answer was lost, so only the key could tell which message Meta means."""
    _reported_and_resent(good)
    good["reported"] = [{**one, "names_key": False} for one in good["reported"]]
    assert [one for one in violations(good) if one.kind == "doubled"] == []


def test_a_message_resent_before_any_report_may_have_two_acceptances(good: Evidence) -> None:
    _reported_and_resent(good)
    good["reported"][0]["at"] = NOON + 21 * MINUTE
    good["reported"][0]["key"] = "m-1.2"
    assert violations(good) == []


def test_a_persons_resend_does_not_wait_for_the_distributions_time(good: Evidence) -> None:
    good["people"][2]["not_before"] = NOON + MINUTE
    assert [one.kind for one in violations(good)] == ["early"]
    again = row(3, "sms", distribution=None)
    again.update({"message_id": "m-9", "parent": "m-3"})
    good["rows"] = [*good["rows"], again]
    assert "early" not in {one.kind for one in violations(good)}


def retried(one: Evidence, *names: str) -> None:
    """The SMS of the list has failed, and these messages were sent in its place, each by a retry of its own."""
    one["rows"][1].update({"status": "failed", "reason": "undeliverable"})
    again = [Row(**{**row(2, "sms"), "message_id": name, "parent": "m-2", "distribution": name}) for name in names]
    one["rows"] = [*one["rows"], *again]
    one["calls"] = [*one["calls"], *(call(2, "sms", NOON + MINUTE) for _ in names)]
    one["retries"] = dict.fromkeys(names, "d")
    one["deeds"] = [*one["deeds"], *(Deed(distribution=x, action="confirm", asked=NOON, done=NOON) for x in names)]
    one["accepted"] = {**one["accepted"], **dict.fromkeys(names, 1)}
    one["counts"] = {"d": {"read": 1, "failed": 1}, **{name: {"sent": 1} for name in names}}
    one["reasons"] = {"d": {"undeliverable": 1}}


def test_a_row_of_a_retry_goes_in_the_place_of_a_failed_one(good: Evidence) -> None:
    retried(good, "r-1")
    assert kinds(good) == set()


def test_two_rows_in_the_place_of_one_are_doubled(good: Evidence) -> None:
    retried(good, "r-1", "r-2")
    assert kinds(good) == {"doubled"}


def test_a_row_that_the_retry_lost_is_noticed(good: Evidence) -> None:
    retried(good, "r-1")
    good["accepted"] = {**good["accepted"], "r-1": 2}
    assert kinds(good) == {"lost"}


def test_a_retry_of_a_message_that_is_known_to_be_there_is_doubled(good: Evidence) -> None:
    retried(good, "r-1")
    good["changes"] = [*good["changes"], Change(message_id="m-2", at=NOON, status="failed")]
    good["changes"] = [*good["changes"], Change(message_id="m-2", at=NOON + MINUTE / 2, status="delivered")]
    assert kinds(good) == {"doubled"}


def test_a_card_that_every_distribution_skipped_may_be_resent_by_a_person(good: Evidence) -> None:
    _each_leaves_it_to_the_other(good)
    assert [one for one in violations(good) if "left it to another" in one.text]
    again = row(2, "sms", distribution=None)
    again.update({"message_id": "m-9", "parent": "m-2"})
    good["rows"] = [*good["rows"], again]
    assert not [one for one in violations(good) if "left it to another" in one.text]


def test_a_distribution_without_skipping_may_send_a_second_message(good: Evidence) -> None:
    _on_a_second_list(good, skips=False, sent=True)
    good["people"][1]["skips"] = True
    assert violations(good) == []


def test_a_distribution_with_skipping_may_send_a_failed_message(good: Evidence) -> None:
    _the_later_one_asks(good)
    good["changes"] = [*good["changes"], Change(message_id="m-2", at=NOON, status="failed")]
    good["rows"][1].update({"status": "failed", "reason": "undeliverable"})
    good["counts"] = {**good["counts"], "d": {"read": 1, "failed": 1}}
    good["reasons"] = {"d": {"undeliverable": 1}}
    assert violations(good) == []


def test_a_skipped_person_got_the_message_from_another_distribution(good: Evidence) -> None:
    _on_a_second_list(good, skips=True, sent=False)
    assert violations(good) == []


def test_a_receipt_may_be_about_the_sms_with_an_unknown_outcome(good: Evidence) -> None:
    _receipt_forgotten(good)
    again = Row(**{**row(2, "sms"), "message_id": "m-9", "parent": "m-2", "distribution": None})
    good["rows"][1].update({"status": "failed", "reason": "outcome_unknown"})
    good["rows"] = [*good["rows"], again]
    good["counts"], good["reasons"] = {"d": {"read": 1, "failed": 1}}, {"d": {"outcome_unknown": 1}}
    assert violations(good) == []


def test_an_outcome_may_be_unknown_after_a_call_or_if_it_is_excused(good: Evidence) -> None:
    _unknown(good, 1, "whatsapp")
    assert violations(good) == []
    _unknown_without_a_call(good)
    good["unknown"][0]["excused"] = True
    assert violations(good) == []


def test_a_call_within_a_second_of_a_pause_is_allowed(good: Evidence) -> None:
    _paused(good)
    good["states"][1]["at"] = NOON - timedelta(seconds=1)
    assert violations(good) == []


def test_a_person_who_agrees_again_may_get_messages(good: Evidence) -> None:
    _revoked(good)
    before = good["statements"][0]["done"]
    good["statements"] = [
        ConsentStatement(
            number=good["people"][2]["number"],
            granted=False,
            asked=before - 2 * MINUTE,
            done=before - 2 * MINUTE,
            dated=None,
        ),
        ConsentStatement(
            number=good["people"][2]["number"], granted=True, asked=before - MINUTE, done=before - MINUTE, dated=None
        ),
    ]
    assert violations(good) == []


def _fell_back(one: Evidence, minutes: float = 12) -> None:
    """The first message arrived without a report. Ten minutes later its fallback was due."""
    sms = {**row(4, "sms"), "card": "CARD-1", "parent": "m-1"}
    one["rows"][0].update({"fallback_minutes": 10, "status": "sent"})
    one["rows"] = [*one["rows"], Row(**sms)]  # type: ignore[typeddict-item]
    one["calls"] = [*one["calls"], {**call(1, "sms", NOON + minutes * MINUTE)}]
    one["reported"] = []
    one["changes"] = one["changes"][:1]
    one["counts"], one["fallbacks"] = {"d": {"sent": 2}}, {"d": {"sent": 1}}


@pytest.mark.parametrize(
    ("received", "is_wrong"),
    [
        ((), True),
        ((reported(1, "sent", NOON + 11 * MINUTE, NOON),), False),
        ((reported(1, "sent", NOON + 13 * MINUTE, NOON),), True),
        ((reported(5, "read", NOON + 11 * MINUTE, NOON),), True),
        ((reported(5, "read", NOON + 11 * MINUTE),), False),
        ((reported(6, "sent", NOON + 3 * MINUTE),), False),
    ],
    ids=["nothing", "its own", "its own, afterwards", "an old word", "something around its time", "a later one"],
)
def test_a_fallback_after_an_arrival_needs_a_reason(
    good: Evidence, received: tuple[Reported, ...], is_wrong: bool
) -> None:
    _fell_back(good)
    good["people"] = [*good["people"], person(6, "whatsapp", distribution=None)]
    good["calls"] = [*good["calls"], call(6, "whatsapp", NOON + 2 * MINUTE)]
    good["rows"] = [*good["rows"], row(6, "whatsapp", distribution=None)]
    good["reported"] = received
    assert kinds(good) == ({"doubled"} if is_wrong else set())


@pytest.mark.parametrize("reason", ["a day", "failed", "has not arrived"])
def test_a_fallback_with_a_reason_is_allowed(good: Evidence, reason: str) -> None:
    _fell_back(good, 24 * 60 if reason == "a day" else 12)
    if reason == "failed":
        good["changes"] = [*good["changes"], Change(message_id="m-1", at=NOON + MINUTE, status="failed")]
    if reason == "has not arrived":
        good["arrivals"] = []
    assert kinds(good) == set()


def test_fallbacks_are_counted(good: Evidence) -> None:
    _fell_back(good, 24 * 60)
    good["fallbacks"] = {"d": {"pending": 1}}
    assert kinds(good) == {"wrong"}


@pytest.mark.parametrize("module", [checker, evidence, silence], ids=["checker", "evidence", "silence"])
def test_it_imports_nothing_of_the_product(module: object) -> None:
    path = Path(str(getattr(module, "__file__", "")))
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert not [name for name in names if name.split(".")[0] in ("shared", "functions", "local")]
    assert {name for name in names if name.split(".")[0] == "tests"} <= OF_THE_CHECKER
