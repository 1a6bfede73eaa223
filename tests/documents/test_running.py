"""Each block marked `run` is pasted into a shell, in order, beside a stack of the document's own, and must print the
shown answer. Blocks marked `account rehearsed` run too, on the local stack in place of AWS."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from local.processes import PROJECT_ROOT, free_port
from tests.documents.pages import Block, Page, pages
from tests.documents.shell import Answer, Shell, environment
from tests.documents.shown import agrees
from tests.stack.running import RunningStack, started
from tests.waiting import until

STACK, SIMULATORS = "8000", "9100"
"""The ports in the documents."""


def executed(page: Page) -> list[tuple[Block, str | None]]:
    """(command block, its shown answer) of each block that runs here."""
    found: list[tuple[Block, str | None]] = []
    for block in page.blocks:
        if block.has("shown"):
            found[-1] = (found[-1][0], block.text)
        elif block.mark == "run" or block.has("rehearsed"):
            found.append((block, None))
    return found


DOCUMENTS = [page for page in pages(PROJECT_ROOT) if executed(page)]


class Reader:
    """A reader with two terminals: one for programs that stay, and one for all other blocks."""

    def __init__(self, folder: Path, open_until_the_end: ExitStack) -> None:
        self._folder, self._open = folder, open_until_the_end
        port = free_port()
        self._instead = {f":{SIMULATORS}": f":{port}", f"--port {SIMULATORS}": f"--port {port}"}
        self._shell: Shell | None = None

    def follow(self, block: Block, shown: str | None) -> None:
        """Runs the block and compares its answer."""
        if block.has("background"):
            self._leave_running(block, shown)
        elif block.has("repeat"):
            assert shown, f"{block}: only what is shown says when to stop"
            until(lambda: self._paste(block), lambda answer: agrees(shown, answer.printed))
        else:
            answer = self._paste(block)
            assert shown is None or agrees(shown, answer.printed), f"{block} printed\n{answer.printed}"

    def _paste(self, block: Block) -> Answer:
        answer = self._the_shell().paste(block.text)
        assert not answer.failed, f"{block} failed: {answer.failed}\n{answer.printed}"
        return answer

    def _the_shell(self) -> Shell:
        if self._shell is None:  # the document begins with an account: the local stack takes its place
            self._open_beside(self._open.enter_context(started(self._folder / "log")))
        assert self._shell
        return self._shell

    def _leave_running(self, block: Block, shown: str | None) -> None:
        if "make run" in block.text:
            command = ("bash", "-c", block.text)
            variables = environment(self._folder, NOW="", PORT="0")
            self._open_beside(self._open.enter_context(started(self._folder / "log", command, **variables)))
        else:
            first_line = self._open.enter_context(_staying(block.text, self._folder, self._instead))
            assert shown is not None
            assert agrees(shown, first_line), f"{block} printed first\n{first_line}"

    def _open_beside(self, stack: RunningStack) -> None:
        port = stack.base_url.rpartition(":")[2]
        self._instead |= {f":{STACK}": f":{port}", f".local/{STACK}/": f".local/{port}/", "/tmp/": f"{self._folder}/"}
        variables = {"PORT": port, "API": stack.base_url}
        typed = stack.token("first-organisation") + "\n"
        self._shell = self._open.enter_context(Shell(self._folder, instead=self._instead, typed=typed, **variables))


@contextmanager
def _staying(text: str, folder: Path, instead: dict[str, str]) -> Iterator[str]:
    """Runs a program other than the stack. Gives its first line."""
    for documented, meant in instead.items():
        text = text.replace(documented, meant).replace(
            documented.replace(":", "--port "), meant.replace(":", "--port ")
        )
    with subprocess.Popen(
        ["bash", "-c", f"exec {text}"], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT, env=environment(folder)
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


@pytest.mark.stack
@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.path)
def test_the_blocks_of_a_document_print_the_shown_answers(page: Page, tmp_path: Path) -> None:
    with ExitStack() as open_until_the_end:
        reader = Reader(tmp_path, open_until_the_end)
        for block, shown in executed(page):
            reader.follow(block, shown)
            for name in re.findall(r"\brm (\S+)", block.text):
                assert not (PROJECT_ROOT / name).exists(), f"{block} leaves {name}"
