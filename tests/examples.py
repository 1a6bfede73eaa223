"""How many examples a property test tries.

`make test` tries the same examples in every run: a test that has passed for a commit passes for it everywhere. To look
for new examples, and for more of them: EXAMPLES=1000 .venv/bin/python -m pytest -m hypothesis
"""

import os

from hypothesis import HealthCheck, settings

CHOSEN = os.environ.get("EXAMPLES", "")


def examples(usual: int) -> int:
    """The number of examples of a test: `usual`, or what EXAMPLES says."""
    return int(CHOSEN) if CHOSEN else usual


def load_profile() -> None:
    """Settings of all property tests. They have no time limit: the machine's speed says nothing about the code."""
    settings.register_profile(
        "ours",
        max_examples=examples(100),
        derandomize=not CHOSEN,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("ours")
