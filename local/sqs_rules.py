"""Which message bodies SQS refuses (../shared/reference/aws_truth.md), for moto and for the tests' own queues."""

import re

MOST_BYTES = 1_048_576
"""The limit of a body, and of all bodies of a batch together, in bytes."""
REFUSED_CODE = "InvalidMessageContents"
REFUSAL = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)
_NO_CHARACTER_OF_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def refuses(body: str) -> bool:
    """Whether the body holds a character that SQS does not accept."""
    return _NO_CHARACTER_OF_SQS.search(body) is not None


def is_too_long(body: str) -> bool:
    """Whether the body is longer than SQS allows."""
    return len(body.encode("utf-8", "surrogatepass")) > MOST_BYTES
