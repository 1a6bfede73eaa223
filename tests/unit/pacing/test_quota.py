"""A quota holds in every minute, and refuses no call that it could allow."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.pacing.quota import Quota

MINUTE = 60_000_000
QUOTA = Quota(calls=3, span=timedelta(minutes=1))
STEPS = st.lists(st.one_of(st.integers(0, 2 * MINUTE), st.sampled_from([0, 1, MINUTE - 1, MINUTE, MINUTE + 1])))


@given(STEPS)
def test_no_minute_has_more_calls_and_no_call_is_refused_without_cause(steps: list[int]) -> None:
    now, counted, let_through = 0, list[int](), list[int]()
    for step in steps:
        now += step
        in_the_last_minute = [at for at in let_through if now - MINUTE < at <= now]
        wait = QUOTA.wait(counted, now)
        assert (wait is None) == (len(in_the_last_minute) < QUOTA.calls)
        if wait is None:
            let_through.append(now)
            counted = [*QUOTA.recent(counted, now), now]
            assert len(counted) <= QUOTA.calls


@given(STEPS)
def test_a_call_is_allowed_after_the_given_wait_and_not_before(steps: list[int]) -> None:
    now, counted = 0, list[int]()
    for step in steps:
        now += step
        if (wait := QUOTA.wait(counted, now)) is None:
            counted.append(now)
            continue
        later = now + wait // timedelta(microseconds=1)
        assert QUOTA.wait(counted, later) is None
        assert QUOTA.wait(counted, later - 1) is not None


def test_a_call_from_a_machine_with_a_fast_clock_counts() -> None:
    ahead = 5_000_000
    assert QUOTA.wait([0, 0, ahead], 1) is not None
    assert QUOTA.wait([ahead, 0, 0], MINUTE) is None
