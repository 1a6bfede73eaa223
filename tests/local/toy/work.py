"""Forwards messages and ticks to its out queue. It reports a body "bad" as failed."""

from collections.abc import Mapping
from typing import Any

from local.runtime import Handler, LambdaContext
from shared.base.instants import Clock
from shared.storage.aws import Aws


def build(environment: Mapping[str, str], clock: Clock, aws: Aws) -> Handler:
    def tell(text: str) -> None:
        aws.sqs.send_message(QueueUrl=environment["OUT_QUEUE_URL"], MessageBody=text)

    def handler(event: Any, _context: LambdaContext) -> object:
        if event.get("tick"):
            tell(f"tick {clock.now():%Y-%m-%dT%H:%M}")
            return None
        failed = []
        for record in event["Records"]:
            attempt = record["attributes"]["ApproximateReceiveCount"]
            tell(f"{record['body']} {attempt} {record['attributes'].get('MessageGroupId', '-')}")
            if record["body"] == "bad":
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    return handler
