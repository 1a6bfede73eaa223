"""python -m bench.scale [--organisations 50] [--messages 10000000] [--seed 8] [--json]"""

import argparse
import dataclasses
import json
import sys

from bench.scale.table import table, text
from bench.scale.world import SEED


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--organisations", type=int, default=50)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    reported = parser.parse_args()
    paper = table(reported.organisations, reported.messages, reported.seed)
    sys.stdout.write((json.dumps(dataclasses.asdict(paper), indent=1) if reported.json else text(paper)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
