"""A process that has imported the third-party packages of our tests, and forks for each run of pytest.

Start it by its path and not with `-m`: it must not import `tests` and `shared` before the fork, because each run
imports them from a checkout of its own. Without it these imports would be half of a run.

It reads one order on each line as JSON (`checkout`, `arguments`, `seconds`, `output`, `keeps_bytecode`). It answers
each with one line: pytest's exit code (null if the run took longer than `seconds`), and the processor seconds of the
run and the processes that it started. pytest prints to the file `output`.
"""

import gc
import importlib
import json
import multiprocessing
import os
import resource
import sys
from pathlib import Path
from typing import Any

# Without packages that are pytest plugins under the same name (time_machine): pytest would warn that it cannot rewrite
# them.
OTHERS = (
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "boto3",
    "botocore.session",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "csv",
    "httpx2",
    "hypothesis.strategies",
    "ijson",
    "moto",
    "moto.cloudformation",
    *(f"moto.{service}.urls" for service in ("dynamodb", "s3", "scheduler", "secretsmanager", "sqs", "sts")),
    "msgspec",
    "phonenumbers",
    "pytest",
)


def main() -> None:
    """Serves until standard input ends."""
    for name in OTHERS:
        importlib.import_module(name)
    gc.freeze()  # a fork's collector does not touch the present objects, so their memory is not copied
    fork = multiprocessing.get_context("fork")
    for line in sys.stdin:
        order = json.loads(line)
        began = _used()
        run = fork.Process(target=_run, args=(order,))
        run.start()
        run.join(order["seconds"])
        code = run.exitcode
        if code is None:
            run.kill()
            run.join()
        run.close()
        print(json.dumps([code, _used() - began]), flush=True)  # noqa: T201 - the answer


def _used() -> float:
    """Processor seconds of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(order: dict[str, Any]) -> None:
    """Runs in the fork and ends it with pytest's exit code."""
    with Path(order["output"]).open("w") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    os.chdir(order["checkout"])
    sys.path.insert(0, order["checkout"])
    os.environ["PYTHONPATH"] = order["checkout"]  # for processes that the tests start
    if not order["keeps_bytecode"]:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    pytest = importlib.import_module("pytest")
    sys.exit(int(pytest.main(order["arguments"])))


if __name__ == "__main__":
    main()
