"""`python -m local run` with the toy's template in place of the product's."""

import os
from dataclasses import replace
from pathlib import Path

from local.__main__ import run_stack
from local.settings import Settings

if __name__ == "__main__":
    chosen = Settings.from_environment(os.environ)
    run_stack(replace(chosen, template=Path(__file__).with_name("template.yaml"), simulators=False))
