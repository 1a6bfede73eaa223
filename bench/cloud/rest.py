"""SQS, Secrets Manager, Scheduler and S3, as far as our adapters use them."""

import hashlib
import itertools
import json
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from bench.cloud.counted import Counted

type Body = dict[str, Any]
type Answer = tuple[int, Body]
_SQS_UNIT = 64 * 1024


class Queues:
    """The queues. `take` is for the bench, which plays Lambda's poller and counts its own requests."""

    def __init__(self, counted: Counted) -> None:
        self.waiting: dict[str, deque[Body]] = defaultdict(deque)
        self._counted = counted
        self._number = itertools.count(1)

    def answer(self, action: str, body: Body) -> Answer:
        """Answer one call."""
        if action not in ("SendMessage", "SendMessageBatch"):
            return 400, {"__type": "com.amazonaws.sqs#UnsupportedOperation", "message": action}
        entries = body["Entries"] if action == "SendMessageBatch" else [body]
        size = sum(len(entry["MessageBody"]) for entry in entries)
        self._counted.request(f"sqs.{action}", -(-size // _SQS_UNIT))
        queue = self.waiting[body["QueueUrl"]]
        done = [self._put(queue, entry) for entry in entries]
        if action == "SendMessage":
            return 200, done[0]
        named = [{"Id": entry["Id"], **reported} for entry, reported in zip(entries, done, strict=True)]
        return 200, {"Successful": named, "Failed": []}

    def _put(self, queue: deque[Body], entry: Body) -> Body:
        identity, text = str(next(self._number)), entry["MessageBody"]
        visible_at = time.monotonic() + entry.get("DelaySeconds", 0)
        queue.append({"messageId": identity, "body": text, "visible_at": visible_at})
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": identity, "MD5OfMessageBody": digest}

    def take(self, url: str, most: int) -> list[Body]:
        """Remove the oldest visible messages from the queue, and return them."""
        queue, now = self.waiting[url], time.monotonic()
        visible = [one for one in queue if one["visible_at"] <= now][:most]
        for one in visible:
            queue.remove(one)
        return visible


class Secrets:
    """Secrets by name."""

    def __init__(self, counted: Counted) -> None:
        self.kept: dict[str, tuple[str, str]] = {}
        self._counted = counted

    def answer(self, action: str, body: Body) -> Answer:
        """Answer one call."""
        self._counted.request(f"secretsmanager.{action}")
        name = str(body.get("SecretId") or body.get("Name"))
        if action in ("CreateSecret", "PutSecretValue"):
            if action == "PutSecretValue" and name not in self.kept:
                return 400, {"__type": "ResourceNotFoundException", "message": "no such secret"}
            version = str(body.get("ClientRequestToken") or uuid.uuid4())
            self.kept[name] = (version, body["SecretString"])
            return 200, {"ARN": name, "Name": name, "VersionId": version}
        if name not in self.kept:
            return 400, {"__type": "ResourceNotFoundException", "message": "no such secret"}
        version, text = self.kept[name]
        return 200, {"ARN": name, "Name": name, "VersionId": version, "SecretString": text}


class Objects:
    """Objects by path. Every object has version 1, and a second PUT replaces the first."""

    def __init__(self, counted: Counted) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}
        self._counted = counted

    def answer(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, dict[str, str], bytes]:
        """Answer one call. `kind` is the content type of a PUT; a GET returns it. S3 does not use JSON."""
        self._counted.request(f"s3.{method}")
        if method == "PUT":
            self.kept[path] = (kind, body)
            return 200, {"ETag": '"1"', "x-amz-version-id": "1"}, b""
        if path not in self.kept:
            return 404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code></Error>"
        kind, body = self.kept[path]
        reported = {"ETag": '"1"', "x-amz-version-id": "1", "Content-Type": kind or "binary/octet-stream"}
        return 200, reported, body if method == "GET" else b""


class Schedules:
    """Accepts every schedule and fires none."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def answer(self, method: str) -> Answer:
        """Answer one call."""
        self._counted.request(f"scheduler.{method}")
        return 200, {"ScheduleArn": "arn:aws:scheduler:eu-west-1:123456789012:schedule/bench/bench"}


def loads(body: bytes) -> Body:
    """Parse JSON; an empty body is an empty object."""
    read: Mapping[str, Any] = json.loads(body or b"{}")
    return dict(read)
