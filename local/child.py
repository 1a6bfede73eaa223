"""Runs a module as a process that ends when its parent does, even if the parent is killed.

    python -m local.child local.moto_server --port 5000 …

Standard input is a pipe on which the parent writes nothing. It closes when the parent ends. This works on every Unix
system, and also if a thread starts the process.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 2.0


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
