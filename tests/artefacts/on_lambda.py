"""Run by a bare interpreter (-I -S), as Lambda would start a function: nothing of the repository can be imported.

python -I -S on_lambda.py <artefact> <folder with boto3 and what it needs> <function>

The function's environment is this process's. Prints JSON: {"callable": …, "modules": {name: file}}.
"""

import importlib
import json
import os
import sys


def main(artefact: str, lambdas_own: str, function: str) -> None:
    sys.dont_write_bytecode = True
    sys.path[:0] = [artefact, lambdas_own]
    app = importlib.import_module(f"functions.{function}.app")
    handlers = [app.handler, app.build(os.environ)]
    this = sys.modules["__main__"]  # multiprocessing gives it a second name
    modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if module is not this}
    json.dump({"callable": all(map(callable, handlers)), "modules": modules}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
