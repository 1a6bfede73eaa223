from pathlib import Path

import pytest

from local.processes import Child, ChildFailedError

pytestmark = pytest.mark.stack
LONG = 300.0
"""Seconds. A test that waits so long in full has not noticed the child's end."""


def test_the_end_of_a_child_is_reported_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        child = Child("local.moto_server", ["--port", "none"], log)
        with pytest.raises(ChildFailedError, match="ended with code 2"):
            child.wait_ready(LONG)
        child.stop()
    assert "invalid int value" in (tmp_path / "log").read_text()


def test_a_child_that_is_not_ready_in_time_is_reported(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        child = Child("local.moto_server", ["--host", "127.0.0.1", "--port", "0", "--now", "2026-11-23T10:00:00Z"], log)
        with pytest.raises(ChildFailedError, match="is not ready"):
            child.wait_ready(0.01)
        child.stop()
