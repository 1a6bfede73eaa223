"""A bare interpreter (-I -S) runs this file, as Lambda would start a function. It cannot import the repository.

    python -I -S on_lambda.py <artefact> <folder with boto3 and its dependencies> <function>

The function's environment is this process's. The file prints JSON: {"callable": …, "modules": {name: file}, "seconds":
{step: [by the clock, of the processor]}}. The steps are: import the handler; build it, as its first event does; make
the AWS clients that every first event needs.
"""

import importlib
import json
import os
import sys
import time

Moment = tuple[float, float]


def main(artefact: str, lambdas_own: str, function: str) -> None:
    sys.dont_write_bytecode = True
    sys.path[:0] = [artefact, lambdas_own]
    began = _now()
    app = importlib.import_module(f"functions.{function}.app")
    imported = _now()
    handlers = [app.handler, app.build(os.environ)]
    built = _now()
    this = sys.modules["__main__"]  # multiprocessing gives this module a second name
    modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if module is not this}
    before_clients = _now()
    aws = sys.modules["shared.storage.aws"].Aws()
    _ = aws.dynamodb, aws.secrets, aws.sqs
    seconds = {
        "import": _between(began, imported),
        "build": _between(imported, built),
        "clients": _between(before_clients, _now()),
    }
    json.dump({"callable": all(map(callable, handlers)), "modules": modules, "seconds": seconds}, sys.stdout)


def _now() -> Moment:
    return time.perf_counter(), time.process_time()


def _between(start: Moment, end: Moment) -> Moment:
    return end[0] - start[0], end[1] - start[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
