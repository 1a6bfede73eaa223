"""What a file is, by its first bytes: officers upload one thing and announce another."""

import codecs
from typing import Literal

type Kind = Literal["workbook", "old_workbook", "opendocument", "zip", "pdf", "picture", "web_page", "json", "text"]

HEAD = 512
"""Bytes that are enough to recognise the kind."""

_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_workbook"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"\x1f\x8b", "zip"),
)

_ZIP = b"PK\x03\x04"

_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument"


def kind_of_file(head: bytes) -> Kind:
    """What the file is. `head`: its first `HEAD` bytes, or the whole file if it is shorter."""
    if head.startswith(_ZIP):
        return _kind_of_zip(head)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    text = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "web_page"
    return "json" if text.startswith((b"{", b"[")) else "text"


def _kind_of_zip(head: bytes) -> Kind:
    """A workbook's archive may begin with any of the workbook's parts. Other archives begin with another file name."""
    if _OPEN_DOCUMENT in head:
        return "opendocument"
    first = head[30:].lstrip()
    parts = (b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/", b"customXml/")
    return "workbook" if first.startswith(parts) else "zip"
