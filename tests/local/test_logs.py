"""The lines of the stack's log stay whole although many threads write them."""

import io
import threading
from typing import TextIO, cast

from local.logs import WholeLines


def test_lines_of_many_threads_are_whole() -> None:
    """Each thread writes a line in parts, as `print` does, and lets the others write in between."""
    stream = io.StringIO()
    lines, barrier = WholeLines(stream), threading.Barrier(8)

    def write(name: str) -> None:
        for number in range(50):
            for part in (f"{name}-", str(number), "\n"):
                barrier.wait()
                print(part, file=cast("TextIO", lines), end="")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sorted(f"{name}-{number}" for name in "abcdefgh" for number in range(50))
    assert sorted(stream.getvalue().splitlines()) == expected


def test_an_unfinished_line_waits() -> None:
    stream = io.StringIO()
    lines = WholeLines(stream)
    lines.write("one\ntwo")
    assert stream.getvalue() == "one\n"
    lines.write("\n")
    assert stream.getvalue() == "one\ntwo\n"
