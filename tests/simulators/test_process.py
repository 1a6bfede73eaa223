"""The simulators as the stack starts them: a process with a socket."""

import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from local.processes import PROJECT_ROOT, free_port
from tests.simulators.world import template
from tests.waiting import PATIENCE

pytestmark = pytest.mark.stack


@pytest.fixture
def url() -> Iterator[str]:
    port = free_port()
    nowhere = ["--api-url", "http://127.0.0.1:1", "--aws-url", "http://127.0.0.1:1", "--secrets-prefix", "oomus"]
    command = [sys.executable, "-m", "local.simulators", "--port", str(port), *nowhere]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_answers_resets_and_stops(url: str) -> None:
    with httpx2.Client(base_url=url, timeout=PATIENCE, trust_env=False) as http:
        assert http.get("/health").json() == {"status": "ok"}
        assert http.post("/_control/settings", json={"hang_seconds": 0.2}).status_code == 200
        body = template(template={"name": "x", "language": {"code": "fr"}})
        for digits in ("0401", "0402", "0403", "0404"):
            with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
                http.post(
                    "/meta/v25.0/1/messages",
                    json={**body, "to": f"+22177000{digits}"},
                    headers={"Authorization": "Bearer t"},
                )
        assert http.get("/_control/ledger").json()["count"] == 2
