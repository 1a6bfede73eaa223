"""Every command block of README and docs has a mark that says how it is checked, and every answer belongs to a
block."""

import re
from pathlib import Path

import pytest

from local.processes import PROJECT_ROOT
from tests.documents.pages import MARKS, OPTIONS, Block, Page, pages
from tests.documents.shown import agrees

PAGES = pages(PROJECT_ROOT)
BLOCKS = [block for page in PAGES for block in page.blocks]
LANGUAGES = {"sh", "json", "text", "mermaid", "python", "ts"}
_TARGET = re.compile(r"^make ([a-z-]+)(?=\s|$)", re.MULTILINE)


def steps() -> set[str]:
    """The targets that `.ci/run` makes."""
    script = (PROJECT_ROOT / ".ci" / "run").read_text(encoding="utf-8")
    return set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"#.*", "", script)))


def wrong_mark(block: Block) -> str | None:
    """What is wrong with a block's info string; None if nothing is."""
    if block.language not in LANGUAGES:
        return f"{block}: a block is fenced and its language one of {sorted(LANGUAGES)}"
    if set(block.words) - {*MARKS, *OPTIONS}:
        return f"{block}: unknown words {block.words}"
    marks = [word for word in block.words if word in MARKS]
    return None if len(marks) == block.is_command else f"{block}: a command block has one mark of {MARKS}, others none"


def test_every_command_block_has_one_mark() -> None:
    assert [wrong for block in BLOCKS if (wrong := wrong_mark(block))] == []


def test_a_block_without_a_mark_is_found() -> None:
    text = "```sh\nmake\n```\n\n    make\n\n```text\nok\n```\n```sh run ci\nx\n```\n```sh runs\nx\n```\n```\nx\n```\n"
    wrong = [wrong_mark(block) for block in Page(path="x.md", text=text).blocks]
    assert [one is None for one in wrong] == [False, False, True, False, False, False]


def test_a_command_that_reads_the_terminal_is_the_last_of_its_block() -> None:
    """Otherwise the command reads the next pasted line as its answer."""
    reading = re.compile(r"^(?:read |aws configure|\S*sam delete)", re.MULTILINE)
    early = [block for block in BLOCKS if block.is_command and reading.search(block.text.rstrip().rpartition("\n")[0])]
    assert [str(block) for block in early] == []


def test_blocks_marked_ci_are_steps_of_ci() -> None:
    for block in BLOCKS:
        if block.mark == "ci":
            commands = [line for line in block.text.splitlines() if line and not line.startswith("#")]
            assert commands, block
            assert _TARGET.findall(block.text) == [line.split()[1] for line in commands], block
            assert set(_TARGET.findall(block.text)) <= steps(), block


def test_an_answer_follows_its_block() -> None:
    """After a block that runs, text and JSON are its answer. No other block may look like an answer."""
    for page in PAGES:
        before: Block | None = None
        for block in page.blocks:
            runs = before is not None and (before.mark == "run" or before.has("rehearsed"))
            if block.language in {"json", "text"}:
                assert block.has("shown") is runs, f"{block}: write `shown` after a block that runs, and only there"
            before = block


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ('{"a": 1,\n  "b": [2]}', '{"a":1,"b":[2]}\n', True),
        ('{"a": 1, …}', '{"a":1,"b":{"c":[2]}}', True),
        ('{"a": 1, …}', '{"a":2,"b":3}', False),
        ('{"id": "1998-…", "b": 2}', '{"id":"1998-46e9","b":2}', True),
        ('{"id": "1998-…", "b": 2}', '{"id":"1998-46e9","x":3,"b":2}', False),
        ('{"a": 1, …, "b": 2, …}', '{"a":1,"b":2}', True),
        ('{…, "b": 2}', '{"b":2}', True),
        ('{…, "b": 2}', '{"a":[1],"b":2}', True),
        ('{"a": 1, …, "b": 2}', '{"a":1,"c":3}', False),
        ('[{…}, {"a": 1}, …]', '[{"b":1},{"a":1},{"a":2}]', True),
        ('{"at": "…"}', '{"at":null}', False),
        ("one\n…\nfour", "one\ntwo\nthree\nfour", True),
        ("one two", "onetwo", False),
        ('{"a": 1}', '{"a":1}{"b":2}', False),
    ],
)
def test_an_answer_is_compared(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_every_path_in_a_document_exists() -> None:
    """Paths in backticks, from the root of the checkout, and the targets of links."""
    missing = [
        f"{page.path}: {path}"
        for page in PAGES
        for path in (*_in_backticks(page), *_linked(page))
        if not any(PROJECT_ROOT.glob(path.rstrip("/")))
    ]
    assert missing == []


_FOLDERS = "shared|functions|local|tests|bench|docs|events|\\.ci|\\.github"


def _in_backticks(page: Page) -> list[str]:
    text = "\n".join(line for _, line in page.prose)
    found = re.findall(rf"`((?:{_FOLDERS})/[\w./*-]*|[\w-]+\.(?:yaml|toml|json))(?:::?[\w]+)?`", text)
    return [path for path in found if "/" in path or path in {"template.yaml", "samconfig.toml", "pyproject.toml"}]


def _linked(page: Page) -> list[str]:
    folder = Path(page.path).parent
    targets = [one for one in re.findall(r"\]\(([^)#\s]+)", page.text) if "://" not in one]
    return [(PROJECT_ROOT / folder / one).resolve().relative_to(PROJECT_ROOT).as_posix() for one in targets]


def test_the_map_of_files_names_every_module_and_no_other() -> None:
    """docs/internals/files.md: a heading for each folder, an item for each file."""
    [page] = [page for page in PAGES if page.path == "docs/internals/files.md"]
    named: set[str] = set()
    for part in page.text.split("\n## ")[1:]:
        folder, _, items = part.partition("\n")
        heads = [line.partition(": ")[0] for line in items.splitlines() if line.startswith("- `")]
        named |= {f"{folder}/{name}" for head in heads for name in re.findall(r"`([\w.]+)`", head)}
    files = (PROJECT_ROOT / "shared").rglob("*.py")
    modules = {file.relative_to(PROJECT_ROOT).as_posix() for file in files if file.name != "__init__.py"}
    assert named == modules


def test_the_page_of_tables_names_keys_of_the_code() -> None:
    """The fixed parts of each key, as `#calls#` or `turn#`, stand in the code of storage."""
    [page] = [page for page in PAGES if page.path == "docs/internals/tables.md"]
    rows = [line for _, line in page.prose if line.startswith("| ") and "`" in line]
    parts = [re.split(r"<[^>]*>", key) for row in rows for key in re.findall(r"`([^`]+)`", row)]
    fixed = {part.strip("#") for key in parts for part in key if part.strip("#").isidentifier()}
    shared = PROJECT_ROOT / "shared"
    files = [*(shared / "storage" / "dynamodb").glob("*.py"), shared / "campaigns" / "counts.py"]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    assert len(rows) > 20
    assert {name for name in fixed if not re.search(rf"(?<![a-z_]){name}(?![a-z_])", code)} == set()


@pytest.mark.parametrize("folder", ["docs/decisions", "docs/internals"])
def test_an_index_lists_every_page_of_its_folder(folder: str) -> None:
    [index] = [page for page in PAGES if page.path == f"{folder}/README.md"]
    pages_there = {page.path for page in PAGES if page.path.startswith(f"{folder}/")}
    assert set(_linked(index)) >= pages_there - {index.path}


def test_every_anchor_that_a_document_links_to_is_a_heading() -> None:
    texts = {page.path: page.text for page in PAGES}
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.text):
            if "://" not in target:
                place = (PROJECT_ROOT / Path(page.path).parent / target).resolve() if target else None
                path = place.relative_to(PROJECT_ROOT).as_posix() if place else page.path
                assert anchor in _anchors(texts[path]), f"{page.path} links to {path}#{anchor}"


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
