"""Step 6 of docs/deploy.md, pasted into a shell line by line, against the local stack."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.stack.running import RunningStack
from tests.template.deploy_guide import section

APPROVED = """\
until [ "$(curl -fsS "$API/v1/templates" -H "$AUTH" |
  grep -o '"channel":"whatsapp","origin":"ready","status":"approved"' | wc -l)" = 2 ]
do :; done"""
"""What the guide asks a person to do: wait until both languages are reviewed."""


def answers(printed: str) -> Iterator[dict[str, Any]]:
    """The JSON documents that curl printed one after the other."""
    decoder, rest = json.JSONDecoder(), printed.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        yield document
        rest = rest[end:].strip()


def test_the_first_organisation_and_the_first_messages(stack: RunningStack, tmp_path: Path) -> None:
    """`read -rs` reads the token from standard input, as from a terminal."""
    *before, last = section(6).blocks("sh")
    script = "\n".join(["set -euo pipefail", *before, APPROVED, last])
    done = subprocess.run(
        ["bash", "-c", script],
        input=stack.token("first-organisation") + "\n",
        cwd=tmp_path,
        env={"API": stack.base_url, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    templates, _, sms, whatsapp_settings, submitted, _, whatsapp, messages = answers(done.stdout)
    assert templates["items"]
    assert submitted == {"status": "pending"}
    assert sms["status"] == whatsapp["status"] == "sent"
    assert whatsapp_settings["verify_token"]["value"]
    assert {message["channel"] for message in messages["items"]} == {"sms", "whatsapp"}
    assert not list(tmp_path.glob("*.json")), "the credentials' files are gone"
