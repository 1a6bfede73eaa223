"""Holds as pure rules: their scope, their start, and their probes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.holds.hold import (
    ACCOUNT,
    DAILY_LIMIT,
    FIRST_PROBE,
    FREES_FOR,
    LONGEST_WAIT,
    PROBE_LASTS,
    REMEMBERED,
    Holds,
    ScopeKey,
    cards_scope,
    country_scope,
    template_scope,
)
from shared.messages.payload import Channel
from tests.fakes.world import MORNING

NONE = Holds(organisation="demo", channel=Channel.SMS)
MALI, FRENCH, ENGLISH = country_scope("ML"), template_scope("card", "fr"), template_scope("card", "en")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SCOPES = [ACCOUNT, DAILY_LIMIT, MALI, country_scope("ML", "d1"), FRENCH, ENGLISH, cards_scope("h.example.org", "d1")]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_is_written_and_read_back(scope: ScopeKey) -> None:
    assert ScopeKey.parse(str(scope)) == scope


def test_a_hold_holds_only_its_scope() -> None:
    held = NONE.set(MALI, "balance_empty", MORNING)
    assert held.holding([ACCOUNT, country_scope("SN")]) is None
    assert held.holding([ACCOUNT, country_scope("ML", "d1")]) is None
    found = held.holding([ACCOUNT, MALI])
    assert found is not None
    assert (found[0], found[1].reason) == (MALI, "balance_empty")


def test_the_widest_of_several_holds_is_named() -> None:
    held = NONE.set(FRENCH, "template_paused", MORNING).set(ACCOUNT, "token_invalid", MORNING)
    found = held.holding([FRENCH, ACCOUNT])
    assert found is not None
    assert found[0] == ACCOUNT


def test_setting_and_ending_raise_the_generation_and_repeating_does_not() -> None:
    scopes = [ACCOUNT, MALI]
    held = NONE.set(MALI, "balance_empty", MORNING)
    assert NONE.generation_of(scopes) < held.generation_of(scopes)
    again = held.set(MALI, "contract_expired", MORNING + MINUTE)
    assert again.generation_of(scopes) == held.generation_of(scopes)
    known = again.of(MALI)
    assert known is not None
    assert (known.since, known.reason) == (MORNING, "contract_expired")
    free = again.ended(MALI, MORNING + MINUTE)
    assert free.generation_of(scopes) > held.generation_of(scopes)
    assert free.ended(MALI, MORNING + MINUTE) == free
    assert free.holding(scopes) is None


def test_another_scope_does_not_change_the_generation() -> None:
    held = NONE.set(MALI, "balance_empty", MORNING)
    other = held.set(country_scope("CM"), "country_not_subscribed", MORNING)
    assert other.generation_of([ACCOUNT, MALI]) == held.generation_of([ACCOUNT, MALI])


def test_probes_come_one_at_a_time_with_growing_pauses() -> None:
    held, now = NONE.set(MALI, "sender_name_not_approved", MORNING), MORNING
    pauses = []
    for turn in range(9):
        hold = held.of(MALI)
        assert hold is not None
        assert not hold.may_try(hold.try_at - SECOND)
        pauses.append(hold.try_at - now)
        now = max(hold.try_at, hold.probe_until or now)
        held = held.with_probe(MALI, f"m{turn}", now)
        trying = held.of(MALI)
        assert trying is not None
        assert not trying.may_try(now + PROBE_LASTS - SECOND)
        held = held.probe_over(MALI, now)
    assert pauses[:4] == [FIRST_PROBE, FIRST_PROBE, FIRST_PROBE * 2, FIRST_PROBE * 4]
    assert pauses[-1] == LONGEST_WAIT


def test_a_probe_whose_answer_never_comes_is_given_up() -> None:
    held = NONE.set(MALI, "balance_empty", MORNING).with_probe(MALI, "m", MORNING + MINUTE)
    hold = held.of(MALI)
    assert hold is not None
    assert hold.may_try(MORNING + MINUTE + PROBE_LASTS)


def test_a_person_or_new_settings_cause_a_probe_at_once() -> None:
    later = MORNING + timedelta(hours=5)
    held = NONE.set(MALI, "balance_empty", MORNING)
    for turn in range(6):
        held = held.with_probe(MALI, f"m{turn}", MORNING).probe_over(MALI, MORNING)
    asked = held.tried_now([MALI, ACCOUNT], later)
    hold = asked.of(MALI)
    assert hold is not None
    assert hold.may_try(later)
    assert asked.check_at == later
    assert asked.of(ACCOUNT) is None


def test_holds_are_checked_while_a_scope_is_held_and_for_a_while_after() -> None:
    held = NONE.set(MALI, "balance_empty", MORNING).checked(MORNING, MINUTE)
    assert held.check_at == MORNING + MINUTE
    ended = held.ended(MALI, MORNING + MINUTE)
    assert ended.freed_scopes(MORNING + 2 * MINUTE) == [MALI]
    assert ended.checked(MORNING + 2 * MINUTE, MINUTE).check_at == MORNING + 3 * MINUTE
    late = MORNING + MINUTE + FREES_FOR
    assert ended.freed_scopes(late) == []
    assert ended.checked(late, MINUTE).check_at is None
    assert str(MALI) in ended.checked(late, MINUTE).scopes
    assert ended.checked(MORNING + MINUTE + REMEMBERED, MINUTE).scopes == {}


@given(st.lists(st.tuples(st.sampled_from(SCOPES), st.booleans()), max_size=40))
def test_an_unchanged_generation_means_an_unchanged_hold(steps: list[tuple[ScopeKey, bool]]) -> None:
    seen: dict[int, list[bool]] = {}
    held, mine = NONE, [ACCOUNT, MALI, FRENCH]
    for scope, sets in steps:
        held = held.set(scope, "provider_down", MORNING) if sets else held.ended(scope, MORNING)
        states = [bool(hold and hold.held) for hold in map(held.of, mine)]
        assert seen.setdefault(held.generation_of(mine), states) == states
