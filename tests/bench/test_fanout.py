"""The bench of the fan-out drives the function itself: every row becomes a queue message, with a known number of
requests."""

import json
import subprocess
import sys
from typing import Any

import pytest

from bench.fanout import r_squared
from local.processes import PROJECT_ROOT
from shared.messages.payload import Channel


@pytest.mark.parametrize("channel", list(Channel))
def test_a_chunk_is_logged_by_four_requests_and_released_by_ten(channel: Channel) -> None:
    """Requests once a step or once a distribution are a small part. The bench itself checks that every row came out."""
    command = [sys.executable, "-m", "bench.fanout", "--channel", channel, "--rows", "800", "1600", "--aws-ms", "0"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert [run["rows"] for run in found["runs"]] == [800, 1600]
    asked = found["requests_a_row"]
    assert asked["dynamodb.BatchExecuteStatement"] == 1 / 25
    assert 1 / 10 <= asked["sqs.SendMessageBatch"] < 1 / 10 + 0.02
    assert asked["dynamodb.PutItem"] < 0.02
    assert asked["dynamodb.UpdateItem"] < 0.03
    assert all(run["ratio"] > 0 for run in found["runs"])


def test_a_straight_line_explains_all_and_a_square_does_not() -> None:
    sizes = (4_000, 20_000, 100_000)
    assert r_squared(sizes, [2 + size / 1000 for size in sizes]) == 1
    assert r_squared(sizes, [size**2 for size in sizes]) < 0.99
