"""A page on this machine uploads a list as a browser does, with preflight requests to the API and to the bucket."""

from typing import Any

import httpx2
import pytest

from tests.stack.programme import Programme
from tests.stack.running import RunningStack
from tests.waiting import http, until

LIST = b"phone,first_name\n+221770008301,Aminata\n+221770008302,Fatou\n"
LOCAL_PAGES = (
    "http://localhost:5173",
    "http://localhost:3000",
    "http://localhost",
    "http://127.0.0.1:61000",
    "https://localhost:8443",
    "http://[::1]:4200",
)
TEXT = {"text": "Bonjour {first_name}"}


def preflight(url: str, origin: str, method: str, headers: str) -> httpx2.Response:
    """The preflight request of a browser: without credentials, and with the names of the later headers."""
    return httpx2.options(
        url,
        headers={
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": headers,
            "sec-fetch-mode": "cors",
            "sec-fetch-site": "cross-site",
        },
    )


def allows(answer: httpx2.Response, origin: str, method: str, headers: str) -> bool:
    """Whether the preflight's answer lets a browser send the request itself."""
    granted = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
    return (
        answer.is_success
        and answer.headers.get("access-control-allow-origin") in {origin, "*"}
        and method in answer.headers.get("access-control-allow-methods", "").replace(" ", "").split(",")
        and set(headers.split(",")) <= granted
    )


def prepared(programme: Programme) -> dict[str, Any]:
    return programme.ok(programme.api.post("/v1/uploads", json={"format": "csv", "bytes": len(LIST)}))


@pytest.mark.parametrize("origin", LOCAL_PAGES)
def test_a_page_from_any_local_origin_uploads_and_plans(programme: Programme, origin: str) -> None:
    wanted = "authorization,content-type"
    url = f"{programme.stack.base_url}/v1/uploads"
    assert allows(preflight(url, origin, "POST", wanted), origin, "POST", wanted)
    target = prepared(programme)
    assert allows(preflight(target["url"], origin, "PUT", "content-type"), origin, "PUT", "content-type")
    # A browser sets the length itself; a page may not.
    headers = {"origin": origin, "content-type": target["headers"]["Content-Type"]}
    put = http().put(target["url"], headers=headers, content=LIST)
    assert (put.status_code, put.headers["access-control-allow-origin"]) == (200, origin)
    assert "etag" in put.headers["access-control-expose-headers"].lower()
    planned = programme.ok(
        programme.distribute(upload_id=target["upload_id"], defaults={"consent": True}, content=TEXT)
    )
    identity = planned["distribution_id"]
    done = until(lambda: programme.distribution(identity), lambda found: found["status"] != "planning")
    assert (done["status"], done["accepted"]) == ("planned", 2)


def test_a_page_from_another_origin_is_refused(programme: Programme) -> None:
    origin = "https://evil.example"
    target = prepared(programme)
    refused = preflight(target["url"], origin, "PUT", "content-type")
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
    assert "AccessForbidden" in refused.text
    read = preflight(target["url"], origin, "GET", "content-type")
    assert (read.status_code, "access-control-allow-origin" in read.headers) == (403, False)
    removed = preflight(target["url"], LOCAL_PAGES[0], "DELETE", "content-type")  # the bucket's rule is for PUT and GET
    assert (removed.status_code, "access-control-allow-origin" in removed.headers) == (403, False)
    url = f"{programme.stack.base_url}/v1/uploads"
    assert "access-control-allow-origin" not in preflight(url, origin, "POST", "authorization").headers


def test_an_upload_that_was_deleted_is_missing(programme: Programme, stack: RunningStack) -> None:
    identity = programme.upload(LIST, "csv")
    key = f"uploads/{programme.organisation}/{identity}"
    stack.aws("s3").delete_object(Bucket=stack.output("PayloadBucketName"), Key=key)
    answer = programme.distribute(upload_id=identity, content=TEXT)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_missing")
    assert "HeadOnDeleteMarker" not in stack.log()
