"""Encodings, as Excel, LibreOffice, Notepad and PowerShell save a text."""

import codecs
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.recipients.files.text import Lines, utf_8_of
from tests.unit.recipients.files.reading import raws, refused

PHONE = "+221770000001"
LIST = f"Téléphone;Prénom;Nom\r\n{PHONE};Aïssatou;N’Diaye\r\n"
AISSATOU = {"phone": PHONE, "first_name": "Aïssatou", "last_name": "N’Diaye"}


@pytest.mark.parametrize(
    "saved",
    [
        LIST.encode(),
        codecs.BOM_UTF8 + LIST.encode(),
        LIST.encode("cp1252"),
        LIST.encode("utf-16"),
        LIST.encode("utf-16-le"),
        LIST.encode("utf-16-be"),
        codecs.BOM_UTF16_BE + LIST.encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "windows-1252", "utf-16", "utf-16-le bare", "utf-16-be bare", "utf-16-be"],
)
def test_one_list_in_every_encoding(saved: bytes) -> None:
    assert raws(saved) == [AISSATOU]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_the_first_accent_may_come_late(encoding: str) -> None:
    """Up to there both encodings are the same. It stands on either side of the end of a block."""
    for ascii_rows in (0, 3, 9_000, 20_000):
        plain = "phone,first_name\n" + f"{PHONE},Awa\n" * ascii_rows
        assert raws(f"{plain}{PHONE},Aïda\n".encode(encoding))[-1] == {"phone": PHONE, "first_name": "Aïda"}


LETTERS = st.text(st.sampled_from("aéèçÉÀœŒ’€«»ñ \n\r;\"'"), max_size=60)


@given(text=LETTERS, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_every_line_comes_as_it_was_saved(text: str, encoding: str) -> None:
    """A French text in Windows-1252 is told from UTF-8 where it holds an accent that both write differently."""
    saved = ("Réponse à côté\n" + text).encode(encoding)
    lines = list(Lines(utf_8_of(io.BytesIO(saved))))
    assert lines == list(io.StringIO("Réponse à côté\n" + text, newline=""))


@pytest.mark.parametrize(
    ("saved", "line"),
    [
        (f"phone,first_name\n{PHONE},Aïda\n{PHONE},Zoé\n".encode().replace(b"Zo\xc3\xa9", b"Zo\xe9"), 3),
        (f"phone,first_name\n{PHONE},Amélie\n".encode("cp850"), 2),
        (f"phone,first_name\n{PHONE},Amélie\n".encode("mac-roman"), 2),
        (f"phone,first_name\n{PHONE},Amélie\n".encode("utf-32"), 1),
        (codecs.BOM_UTF16_LE + f"phone\n{PHONE}\n".encode("utf-16-le") + b"\x00\xd8a\x00\n\x00", 3),
        (codecs.BOM_UTF16_LE + f"phone\n{PHONE}\n".encode("utf-16-le") + b"7", 3),
        (f"phone,first_name\n{PHONE},été\n{PHONE},\x81\n".encode("latin-1"), 3),
    ],
    ids=["mixed", "ms-dos", "macintosh", "utf-32", "half a pair", "cut in a character", "undefined"],
)
def test_letters_that_cannot_be_told_refuse_the_file_and_name_the_line(saved: bytes, line: int) -> None:
    """Read as another encoding, every accent in every message would be wrong."""
    found = refused(saved)
    assert (found.code, found.line, found.facts["line"]) == ("encoding_unknown", line, str(line))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_damaged_line_is_exact_far_into_a_file(end: str) -> None:
    whole = "phone,first_name" + end + f"{PHONE},Aïda{end}" * 30_000
    found = refused(whole.encode() + b"\xff" + end.encode())
    assert found.line == 30_002
