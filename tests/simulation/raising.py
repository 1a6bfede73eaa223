"""What ended a run before its time, as one more thing that is wrong: no other run's verdict is lost with it."""

import traceback
from pathlib import Path

from tests.simulation.checker import Violation

ROOT = Path(__file__).parents[2]
SHOWN = 200
"""Characters of an error's own words."""


def raised(error: BaseException) -> Violation:
    """The error's type and words, and the last place in our own code that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _is_ours(Path(frame.filename))]
    last = (ours or frames)[-1]
    place = Path(last.filename)
    where = place.relative_to(ROOT) if _is_ours(place) else place.name
    return Violation("wrong", f"{type(error).__name__}: {str(error)[:SHOWN]} ({where}:{last.lineno}, {last.name})")


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(ROOT) and not path.relative_to(ROOT).parts[0].startswith(".")
