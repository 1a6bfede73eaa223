"""Runs moto in a process of its own, on the stack's clock.

python -m local.moto_server --host 127.0.0.1 --port 5000 --now 2026-11-23T10:00:00Z
"""

import argparse
import logging
import sys
from types import ModuleType

from local.logs import JsonLines
from local.processes import collect_seldom
from shared.app.runtime import SystemClock
from shared.base.instants import from_rfc3339


def _spare_imports() -> None:
    """Replace two imports that this process never uses, to save more than a second.

    They are time-machine's pytest plugin, and the library with which moto checks the documents of REST APIs.
    """
    refused: dict[str, ModuleType | None] = {"pytest": None}  # with None, Python refuses the import
    sys.modules.update(refused)  # type: ignore[arg-type]  # typeshed does not know that None is allowed
    for name in ("openapi_spec_validator", "openapi_spec_validator.validation"):
        sys.modules[name] = ModuleType(name)
    sys.modules["openapi_spec_validator"].__dict__["validate"] = None
    exceptions = ModuleType("openapi_spec_validator.validation.exceptions")
    exceptions.__dict__["OpenAPIValidationError"] = ValueError
    sys.modules[exceptions.__name__] = exceptions


def main() -> None:
    parser = argparse.ArgumentParser(prog="local.moto_server")
    parser.add_argument("--host", action="append", required=True, help="address to listen on; may be repeated")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--now", type=from_rfc3339, required=True)
    arguments = parser.parse_args()
    _spare_imports()
    collect_seldom()
    from local.moto_http import serve  # noqa: PLC0415 - it must come after the replaced imports

    servers = serve(arguments.host, arguments.port, arguments.now)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(SystemClock()))  # `serve` has set the whole process to the stack's time
    logging.getLogger("local").addHandler(handler)
    print("ready", flush=True)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
