"""The search of tests/stack/test_privacy.py finds planted values. Without this proof its empty results mean nothing."""

import base64
import json
from urllib.parse import quote

import pytest

from tests.stack.needles import found_in, readings

NEEDLES = ("770008765", "Zuleikha-Planted")
SAID = "to +221770008765 Zuleikha-Planted!"
LINE = '{{"level": "ERROR", "message": "{}", "at": "2026-11-23T10:00:00Z"}}'


def based(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "hidden",
    [
        SAID,
        SAID.upper(),
        "to +221 77 000 87 65, Zuleikha-Planted",
        "to (77) 000-87.65 Zuleikha-Planted",
        "to 77\u00a0000\u202f87 65 Zuleikha-Planted",
        json.dumps(json.dumps(SAID)),
        SAID.replace("Z", "\\u005a").replace("7", "\\x37"),
        SAID.replace("Z", "&#90;").replace("8765", "8&#55;65"),
        quote(SAID, safe=""),
        quote(quote(SAID, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in SAID.encode()),
        based(SAID),
        based(SAID).rstrip("="),
        base64.urlsafe_b64encode(b"\xfb\xff" + SAID.encode()).decode(),
        based(based(SAID)),
        based(json.dumps({"to": quote(SAID)})),
        quote(based(SAID), safe=""),
        *(f"{'x' * ahead}{based(SAID)}" for ahead in range(4)),
        *(based("?" * ahead + SAID) for ahead in range(3)),
        f"wamid.{based('>' + SAID)}",
        SAID.encode().hex(),
        f"a{SAID.encode().hex()}",
    ],
)
def test_a_planted_value_is_found_in_every_encoding(hidden: str) -> None:
    assert found_in(LINE.format(hidden), NEEDLES) == set(NEEDLES)


@pytest.mark.parametrize(
    "innocent", ["+22177***8765", "2026-11-23T10:00:00.770Z", based("+22177***8765"), "Zuleikha", "770 008 76"]
)
def test_masked_or_different_values_are_not_found(innocent: str) -> None:
    assert found_in(LINE.format(innocent), NEEDLES) == set()


def test_text_that_cannot_be_decoded_does_not_hide_a_value() -> None:
    assert any("Zuleikha" in one for one in readings(f"%zz \\u12 ===== {'A' * 9} {based(SAID)} é{'f' * 13}"))
