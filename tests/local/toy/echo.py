"""Answers with its event and its environment; fails on request."""

import json
import time
from collections.abc import Mapping
from typing import Any

from local.runtime import Handler, LambdaContext
from shared.base.instants import Clock
from shared.storage.aws import Aws


def build(environment: Mapping[str, str], clock: Clock, _aws: Aws) -> Handler:
    def handler(event: Any, context: LambdaContext) -> object:
        match event["rawPath"]:
            case "/v1/fail":
                raise RuntimeError("asked to fail")
            case "/open" if event["rawQueryString"] == "sleep":
                time.sleep(6)
        answer = {"event": event, "environment": dict(environment), "now": clock.now().isoformat()}
        answer["remaining"] = context.get_remaining_time_in_millis()
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(answer)}

    return handler
