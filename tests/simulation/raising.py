"""An exception that ended a run, as one more violation. So the results of other runs are kept."""

import traceback
from pathlib import Path

from tests.simulation.checker import Violation

ROOT = Path(__file__).parents[2]
SHOWN = 200
"""Characters of the exception's text."""


def raised(error: BaseException) -> Violation:
    """The exception's type and text, and the last place in our own code in its traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _is_ours(Path(frame.filename))]
    last = (ours or frames)[-1]
    place = Path(last.filename)
    where = place.relative_to(ROOT) if _is_ours(place) else place.name
    return Violation("wrong", f"{type(error).__name__}: {str(error)[:SHOWN]} ({where}:{last.lineno}, {last.name})")


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(ROOT) and not path.relative_to(ROOT).parts[0].startswith(".")
