from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.message import ALLOWED_FROM, Status, may_move
from shared.webhooks.updates import Attempt

P, S, D, R, F = Status.PENDING, Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED
MOVES = {(P, S), (P, D), (P, R), (P, F), (S, D), (S, R), (S, F), (D, R), (F, D), (F, R)}
"""design.md, "Status": later statuses may come first, `failed` yields to proof of arrival, and `read` is final."""


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_the_table_of_moves(before: Status, after: Status) -> None:
    assert may_move(before, after) is ((before, after) in MOVES)


def test_every_status_is_in_the_table() -> None:
    assert set(ALLOWED_FROM) == set(Status)


@given(st.permutations([S, S, D, D, R]))
def test_in_any_order_the_message_ends_as_read(reports: list[Status]) -> None:
    stands = P
    for status in reports:
        if may_move(stands, status):
            stands = status
    assert stands is R


@given(st.lists(st.sampled_from(Status), max_size=12))
def test_a_delivered_message_never_goes_back(reports: list[Status]) -> None:
    stands, arrived = P, {D, R}
    for status in reports:
        moved = status if may_move(stands, status) else stands
        assert stands not in arrived or moved in arrived
        stands = moved


def test_a_callback_key_names_message_and_attempt() -> None:
    attempt = Attempt(message_id="2d1f6a0e-0000-5000-8000-000000000001", number=2)
    assert str(attempt) == "2d1f6a0e-0000-5000-8000-000000000001.2"
