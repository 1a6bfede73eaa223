import io
import itertools
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.json import JsonObject, JsonValue, parse
from shared.base.refusal import ApiWarning, FieldError
from shared.policy.eligibility import Row
from shared.recipients.files.reader import RowReader
from shared.recipients.files.tracker import Pages, entities
from shared.recipients.files.unreadable import UnreadableFileError
from shared.storage.workbooks import ChildWorkbooks

UNREADABLE = FieldError(field="row", code="row_unreadable", facts={"unread": "broken"})
ONE, TWO = "+221770000001", "+221770000002"
WORKBOOKS = ChildWorkbooks()


class Dripping:
    """A file that comes in pieces of one size."""

    def __init__(self, content: bytes, size: int) -> None:
        self._file = io.BytesIO(content)
        self._size = size

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(self._size if size < 0 else min(size, self._size))


class Endless:
    """A file that is made while it is read. It counts the bytes read from it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        self._rest = self._rest or next(self._pieces, b"")
        block, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(block)
        return block


def read(content: str | bytes, form: str) -> list[Row]:
    """The rows, which must not depend on the size of the file's pieces."""
    data = content.encode() if isinstance(content, str) else content
    rows = list(RowReader(io.BytesIO(data), form, WORKBOOKS).rows())
    assert rows == list(RowReader(Dripping(data, 1), form, WORKBOOKS).rows())
    assert rows == list(RowReader(Dripping(data, 7), form, WORKBOOKS).rows())
    return rows


def raws(content: str | bytes, form: str = "csv") -> list[JsonObject | None]:
    rows = read(content, form)
    numbers = [row.number for row in rows]
    assert numbers == sorted(set(numbers))
    assert not numbers or numbers[0] >= 1
    assert [row.field_error for row in rows] == [None if row.raw is not None else UNREADABLE for row in rows]
    return [row.raw for row in rows]


def why_unreadable(content: str | bytes, form: str) -> str:
    """The reason. It is logged, so it contains nothing of the file."""
    with pytest.raises(UnreadableFileError) as caught:
        read(content, form)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------------------- CSV

AMINATA: JsonObject = {"phone": ONE, "first_name": "Aminata"}
FATOU: JsonObject = {"phone": TWO, "first_name": "Fatou"}
PLAIN = f"phone,first_name\n{ONE},Aminata\n{TWO},Fatou\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.removesuffix("\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        "\ufeff" + PLAIN.replace("phone", '"phone"').replace(",", ";").replace("\n", "\r\n"),
        PLAIN.replace("phone,first_name", "PHONE, First_Name "),
        f'"phone","first_name"\n"{ONE}","Aminata"\n"{TWO}","Fatou"\n',
        f"first_name,phone\nAminata,{ONE}\nFatou,{TWO}\n",
        f"\n\nphone,first_name\n\n{ONE},Aminata\n,\n\r\n{TWO},Fatou\n\n\n",
        f"phone,first_name,\n{ONE},Aminata,\n{TWO},Fatou,\n",
        f"phone,first_name\n{ONE},Aminata,,\n{TWO},Fatou\n",
    ],
)
def test_csv(content: str) -> None:
    assert raws(content) == [AMINATA, FATOU]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"Diallo, Awa; épouse Ba"', "Diallo, Awa; épouse Ba"),
        ('"Awa\nDiallo"', "Awa\nDiallo"),
        ('"Awa\r\nDiallo"', "Awa\r\nDiallo"),
        ('"dite ""Awa"""', 'dite "Awa"'),
        ('5" écran', '5" écran'),
        ("œuf ‘’ 🎉", "œuf ‘’ 🎉"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_cells(cell: str, value: str, delimiter: str) -> None:
    lines = [("phone", "last_name", "card_code"), (ONE, cell, "A-1"), (TWO, "Ba", "A-2")]
    content = "\n".join(delimiter.join(line) for line in lines)
    assert raws(content) == [
        {"phone": ONE, "last_name": value, "card_code": "A-1"},
        {"phone": TWO, "last_name": "Ba", "card_code": "A-2"},
    ]


def test_csv_rows_of_another_length() -> None:
    content = f"phone,first_name,last_name\n{ONE}\n{ONE},Aminata,Diallo,more\n{TWO},Fatou,Ba\n"
    assert raws(content) == [{"phone": ONE}, None, {"phone": TWO, "first_name": "Fatou", "last_name": "Ba"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("blank", ["", ",", " , ", '"",""'])
def test_csv_row_numbers_and_lines_are_the_file_s_own(end: str, blank: str) -> None:
    """Blank rows count, so that an error names the row number of the spreadsheet."""
    lines = [
        "",
        "",
        "phone,first_name",
        blank,
        f"{ONE},Aminata",
        blank,
        blank,
        f'{ONE},"Awa" Diallo',
        f"{TWO},Fatou",
        "",
    ]
    rows = read(end.join(lines), "csv")
    assert [(row.number, row.line, row.raw) for row in rows] == [
        (2, 5, AMINATA), (5, 8, None), (6, 9, FATOU),
    ]  # fmt: skip


def test_csv_a_cell_over_several_lines_changes_line_numbers_and_not_row_numbers() -> None:
    content = f'phone,first_name\n{ONE},"Awa\n\nDiallo"\n\n{TWO},Fatou\n'
    assert [(row.number, row.line) for row in read(content, "csv")] == [(1, 2), (3, 6)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ndjson_rows_have_the_numbers_of_their_lines(end: str) -> None:
    lines = ["", json.dumps(AMINATA), " ", "", "nonsense", json.dumps(FATOU)]
    assert [(row.number, row.line, row.raw) for row in read(end.join(lines), "ndjson")] == [
        (2, 2, AMINATA), (5, 5, None), (6, 6, FATOU),
    ]  # fmt: skip


def test_blank_rows_do_not_count_against_the_most_rows() -> None:
    blank = b"\n" * 1000
    content = itertools.chain([b"phone,first_name\n"], itertools.repeat(blank, 1100), [f"{ONE},Aminata\n".encode()])
    [row] = RowReader(Endless(content), "csv", WORKBOOKS).rows()
    assert row.number == 1_100_001


def test_csv_a_row_with_broken_quotes_affects_no_other() -> None:
    content = f'phone,first_name\n{ONE},"Awa" Diallo\n{ONE},Aminata\n{TWO},"Fatou"\n{TWO},"Ba'
    assert raws(content) == [None, AMINATA, FATOU, None]


def test_csv_a_giant_cell_affects_no_other_row() -> None:
    assert raws(f"phone,first_name\n{ONE},{'x' * 200_000}\n{TWO},Fatou\n") == [None, FATOU]


def test_csv_unknown_columns_are_reported_and_not_read() -> None:
    reader = RowReader(
        io.BytesIO(f"Phone,Village,dhis2,,First_Name\n{ONE},Thiès,x,y,Aminata\n".encode()), "csv", WORKBOOKS
    )
    assert [row.raw for row in reader.rows()] == [AMINATA]
    assert reader.warnings == (ApiWarning(code="unknown_columns", count=2, facts={"columns": "Village, dhis2"}),)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "file_empty"),
        ("\n\n", "file_empty"),
        ("\ufeff", "file_empty"),
        ("phone,first_name\n", "file_empty"),
        ("phone,first_name\n,\n\n", "file_empty"),
        ("village,first_name\nThiès,Aminata\n", "phone_column_missing"),
        (f"{ONE},Aminata\n", "header_missing"),
        (f"phone,Phone\n{ONE},{TWO}\n", "column_twice"),
        ("phone,first_name\n+221770000001,Am\x82lie\n".encode("latin-1"), "encoding_unknown"),
        (PLAIN.encode("utf-32"), "encoding_unknown"),
        (f'phone,first_name\n{ONE},"Aminata\n{TWO},"Fatou"\n', "quote_unclosed"),
        (f'phone,first_name\n{ONE},"Aminata\n{TWO},Fatou\n', "quote_unclosed"),
        (f'phone,"first_name\n{ONE},Aminata\n', "quote_unclosed"),
        (f"phone,first_name\n{ONE},{'x' * 1_100_000}\n", "not_this_format: line_too_long"),
    ],
)
def test_csv_files_that_cannot_be_read(content: str | bytes, why: str) -> None:
    assert why_unreadable(content, "csv") == why


def test_rows_before_the_damage_are_read() -> None:
    """The reader reads the first lines together, to find the titles."""
    many = PLAIN + f"{TWO},Aïda\n" * 100
    rows = RowReader(io.BytesIO(many.encode() + b"\xff\n"), "csv", WORKBOOKS).rows()
    assert [row.number for row in itertools.islice(rows, 102)] == list(range(1, 103))
    with pytest.raises(UnreadableFileError) as caught:
        list(rows)
    assert caught.value.field_error.line == 104


# ------------------------------------------------------------------------------------------------------------- NDJSON


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ndjson(end: str, mark: str) -> None:
    content = mark + json.dumps(AMINATA) + end + json.dumps(FATOU, ensure_ascii=False)
    assert raws(content, "ndjson") == [AMINATA, FATOU]
    assert raws(content + end, "ndjson") == [AMINATA, FATOU]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"phone": "+221770000001"',
        '{"phone": "+221770000001"} {}',
        "[]",
        '"text"',
        "null",
        "7",
        '{"phone": "+221770000001", "phone": "+221770000002"}',
        '{"card_code": NaN}',
        '{"card_code": 1e999}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
    ],
    ids=lambda line: line[:30],
)
def test_ndjson_a_bad_line_affects_no_other(line: str) -> None:
    assert raws(f"{json.dumps(AMINATA)}\n{line}\n{json.dumps(FATOU)}\n", "ndjson") == [AMINATA, None, FATOU]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("csv", "phone,fir\uffffst_name,last_name\n77,A\x00wa,Di\uffffop\n"),
        ("ndjson", '{"phone": "77", "first_name": "A\\u0000wa", "last_name": "Di\\uffffop"}'),
        ("ndjson", '{"phone": "77", "first_name": "A\\u0000wa", "last_name": "Di\\ud800op"}'),
        ("dhis2", '{"trackedEntities": [{"phone": "77", "first_name": "A\\u0000wa", "last_name": "Di\\uffffop"}]}'),
        ("dhis2", '{"trackedEntities": [{"phone": "77", "first_name": "A\\u0000wa", "last_name": "Di\\ud800op"}]}'),
        ("dhis2", '{"trackedEntities": [{"phone": "77", "first_name": "A\\u0000wa", "last_name": "Di\\udc00op"}]}'),
    ],
)
def test_characters_that_no_message_can_carry_leave_the_row_readable(form: str, content: str) -> None:
    """They are removed, with a warning, when the recipient is read (`shared.recipients.recipient`)."""
    person: JsonObject = {"phone": "77", "first_name": "A\x00wa", "last_name": "Di\uffffop"}
    assert raws(content, form) == [{"dhis2": person} if form == "dhis2" else person]


ESCAPES = st.lists(st.sampled_from(("\\ud83d", "\\ude00", "\\\\", "\\u00e9", "\\n", '\\"', "u", "d", "8")), max_size=40)


@given(escapes=ESCAPES, size=st.integers(1, 20))
def test_dhis2_half_pairs_at_every_end_of_a_block(escapes: list[str], size: int) -> None:
    """As the JSON reader reads them."""
    reported = f'{{"trackedEntities": [{{"x": "{"".join(escapes)}"}}]}}'
    expected = parse(reported)
    assert isinstance(expected, dict)
    file = cast("io.BufferedReader", Dripping(reported.encode(), size))
    assert [value for value, _ in entities(file, Pages())] == expected["trackedEntities"]


def test_ndjson_unknown_fields_are_left_to_the_row() -> None:
    assert raws('{"village": "x", "phone": 1}', "ndjson") == [{"village": "x", "phone": 1}]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "file_empty"),
        ("\n \n", "file_empty"),
        ('{"first_name": "Amélie"}'.encode("latin-1"), "encoding_unknown"),
        ('{"first_name": "' + "x" * 1_100_000 + '"}', "not_this_format: line_too_long"),
    ],
)
def test_ndjson_files_that_cannot_be_read(content: str | bytes, why: str) -> None:
    assert why_unreadable(content, "ndjson") == why


# -------------------------------------------------------------------------------------------------------------- DHIS2

ENTITY: JsonObject = {
    "trackedEntity": "tEntity0001",
    "attributes": [{"attribute": "aPhone00001", "value": ONE}],
    "enrollments": [{"enrollment": "eFirst00001", "status": "ACTIVE", "attributes": []}],
    "inactive": False,
    "geometry": {"type": "Point", "coordinates": [-17.44, 14]},
    "relationships": None,
}
ENROLLMENT: JsonObject = {"enrollment": "eOther00001", "trackedEntity": "tEntity0002", "attributes": []}
PAGER: JsonObject = {"page": 1, "pageSize": 50, "instances": [1], "nested": {"trackedEntities": [2]}}


@pytest.mark.parametrize("name", ["trackedEntities", "enrollments", "instances"])
@pytest.mark.parametrize("before", [True, False])
def test_dhis2_envelopes(name: str, before: bool) -> None:
    entities: list[JsonValue] = [ENTITY, ENROLLMENT]
    envelope: JsonObject = {"pager": PAGER, name: entities} if before else {name: entities, "pager": PAGER}
    assert raws(json.dumps(envelope), "dhis2") == [{"dhis2": ENTITY}, {"dhis2": ENROLLMENT}]
    assert raws(json.dumps(envelope, indent=2), "dhis2") == [{"dhis2": ENTITY}, {"dhis2": ENROLLMENT}]


@pytest.mark.parametrize("bare", [ENTITY, ENROLLMENT])
def test_dhis2_a_bare_object(bare: JsonObject) -> None:
    assert raws(json.dumps(bare), "dhis2") == [{"dhis2": bare}]


def test_dhis2_a_bare_object_in_another_order() -> None:
    """Its enrollments must not count as an envelope's: they lack the entity's own attributes."""
    first: JsonObject = {"attributes": ENTITY["attributes"], "trackedEntity": "t", "enrollments": ENTITY["enrollments"]}
    assert raws(json.dumps(first), "dhis2") == [{"dhis2": first}]
    last: JsonObject = {"enrollments": ENTITY["enrollments"], "trackedEntity": "t"}
    assert why_unreadable(json.dumps(last), "dhis2") == "not_this_format: enrollments_first"


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        (
            [ENTITY, {"trackedEntity": "t", "deleted": True}],
            [{"dhis2": ENTITY}, {"dhis2": {"trackedEntity": "t", "deleted": True}}],
        ),
        ([1, "text", None, [], ENTITY], [None, None, None, None, {"dhis2": ENTITY}]),
        ([{}], [{"dhis2": {}}]),
    ],
)
def test_dhis2_entries(entities: list[JsonValue], expected: list[JsonObject | None]) -> None:
    assert raws(json.dumps({"trackedEntities": entities}), "dhis2") == expected


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "null",
        "[]",
        '{"trackedEntities": []}',
        "{}",
        '{"trackedEntities": {}}',
        '{"trackedEntities": null, "pager": {}}',
        '{"trackedEntities": {"item": 5}}',
        '{"events": []}',
        '{"pager": {"trackedEntities": []}}',
        json.dumps({"trackedEntities": [ENTITY]})[:-1],
        json.dumps({"trackedEntities": [ENTITY]})[:-2],
        json.dumps({"trackedEntities": [ENTITY]})[:60],
        json.dumps({"trackedEntities": [ENTITY]}) + "{",
        json.dumps(ENTITY)[:-1],
        "<html>502 Bad Gateway</html>",
        PLAIN,
        b'{"trackedEntities": ["\xff"]}',
        b'{"trackedEntities": ["\xed\xa0\x80"]}',
    ],
)
def test_dhis2_files_that_cannot_be_read(content: str | bytes) -> None:
    assert ONE not in why_unreadable(content, "dhis2")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("start", ["", '{"trackedEntities":', '{"trackedEntities":[', '{"pager":'])
def test_dhis2_very_deep_nesting_costs_little(start: str, opening: str) -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableFileError):
        list(
            RowReader(
                Endless(itertools.chain([start.encode()], itertools.repeat(opening.encode() * 1000, 500))),
                "dhis2",
                WORKBOOKS,
            ).rows()
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_dhis2_a_byte_order_mark_is_dropped() -> None:
    assert raws("\ufeff" + json.dumps({"trackedEntities": [ENTITY]}), "dhis2") == [{"dhis2": ENTITY}]


def test_dhis2_the_content_after_the_list_may_be_long() -> None:
    content = json.dumps({"trackedEntities": [ENTITY] * 10} | {f"note{n}": "x" * 1000 for n in range(10_000)})
    assert len(list(RowReader(io.BytesIO(content.encode()), "dhis2", WORKBOOKS).rows())) == 10


# ------------------------------------------------------------------------------------------------- what never ends

GIGABYTE = 1024 * 1024 * 1024


@pytest.mark.parametrize(
    ("form", "start", "rest", "why"),
    [
        ("csv", "phone,first_name\n", "x", "not_this_format: line_too_long"),
        ("csv", "phone,first_name\n" + ONE + ',"', "Awa, Ba\n", "quote_unclosed"),
        ("csv", "phone,first_name\n", '"a\n","b\n",', "quote_unclosed"),
        ("csv", "phone", ",x", "not_this_format: line_too_long"),
        ("ndjson", '{"phone": "', "7", "not_this_format: line_too_long"),
        ("dhis2", '{"trackedEntities": [{"trackedEntity": "', "x", "not_this_format: entity_too_large"),
        ("dhis2", '{"trackedEntities": [{"trackedEntity": "', '\\"', "not_this_format: entity_too_large"),
        ("dhis2", '{"', "x", "not_this_format: entity_too_large"),
        ("dhis2", '{"pager": ', " ", "not_this_format: entity_too_large"),
        ("dhis2", '{"pager": ', "7", "not_this_format: entity_too_large"),
        ("dhis2", '{"trackedEntities": [["', f'{"x" * 1000}", "', "not_this_format: entity_too_large"),
        ("dhis2", '{"trackedEntities": [[', "{},", "not_this_format: entity_too_large"),
        ("dhis2", "{", f'"a": "{"x" * 1000}",', "not_this_format: not_dhis2"),
    ],
)
def test_a_gigabyte_of_one_thing_is_refused_within_a_few_megabytes(form: str, start: str, rest: str, why: str) -> None:
    block = rest.encode() * (100_000 // len(rest))
    file = Endless(itertools.chain([start.encode()], itertools.repeat(block, GIGABYTE // len(block))))
    tracemalloc.start()
    with pytest.raises(UnreadableFileError) as caught:
        list(RowReader(file, form, WORKBOOKS).rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value) == why
    assert file.taken < 8 * 1024 * 1024
    assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("form", "head", "row", "tail"),
    [("csv", "phone\n", ONE + "\n", ""), ("ndjson", "\n", "{}\n", ""), ("dhis2", '{"instances": [1', ",1", "]}")],
    ids=["csv", "ndjson", "dhis2"],
)
def test_a_million_rows_are_accepted_and_not_one_more(form: str, head: str, row: str, tail: str) -> None:
    some, more = row * 1000, [row * (999 if form == "dhis2" else 1000), tail]
    million = itertools.chain([head], itertools.repeat(some, 999), more)
    assert sum(1 for _ in RowReader(Endless(map(str.encode, million)), form, WORKBOOKS).rows()) == 1_000_000
    beyond = itertools.chain([head], itertools.repeat(some, 1001), [tail])
    with pytest.raises(UnreadableFileError, match="too_many_rows"):
        max(one.number for one in RowReader(Endless(map(str.encode, beyond)), form, WORKBOOKS).rows())


# ------------------------------------------------------------------------------------------------------ bounded memory

MANY = 200_000


def csv_pieces() -> Iterator[bytes]:
    yield b"phone,first_name,card_code\n"
    for start in range(0, MANY, 1000):
        yield "".join(f"+22177{n:07d},Aminata,DKR-{n}\n" for n in range(start, start + 1000)).encode()


def ndjson_pieces() -> Iterator[bytes]:
    for start in range(0, MANY, 1000):
        yield "".join(f'{{"phone": "+22177{n:07d}"}}\n' for n in range(start, start + 1000)).encode()


def dhis2_pieces() -> Iterator[bytes]:
    yield b'{"pager": {}, "trackedEntities": ['
    for start in range(0, MANY // 4, 1000):
        yield "".join(f'{{"trackedEntity": "t{n}"}},' for n in range(start, start + 1000)).encode()
    yield b'{"trackedEntity": "last"}]}'


@pytest.mark.parametrize(
    ("pieces", "form", "rows"),
    [(csv_pieces, "csv", MANY), (ndjson_pieces, "ndjson", MANY), (dhis2_pieces, "dhis2", MANY // 4 + 1)],
    ids=["csv", "ndjson", "dhis2"],
)
def test_a_large_file_is_read_as_it_is_asked_for(pieces: object, form: str, rows: int) -> None:
    assert callable(pieces)
    file = Endless(pieces())
    reading = RowReader(file, form, WORKBOOKS).rows()
    assert file.taken == 0
    assert next(reading).number == 1
    assert file.taken <= 1024 * 1024
    last = early = 0
    for row in reading:
        last = row.number
        if last == rows // 2:
            early = file.taken
    assert last == rows
    assert early < 0.75 * file.taken


def test_memory_is_bounded() -> None:
    tracemalloc.start()
    numbers = (row.number for row in RowReader(Endless(itertools.islice(csv_pieces(), 60)), "csv", WORKBOOKS).rows())
    assert max(numbers) == 59_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
