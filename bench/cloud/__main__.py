"""python -m bench.cloud --aws-ms 5 --provider-ms 100 prints its address and serves until it is ended."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote

from bench.cloud.counted import Counted
from bench.cloud.dynamodb import DynamoDb
from bench.cloud.providers import Providers
from bench.cloud.rest import Answer, Body, Objects, Queues, Schedules, Secrets, loads
from bench.cloud.server import Answered, Asked, Connection
from bench.cloud.tables import tables_of

PROVIDER_PATHS = ("/meta/", "/orange/")


class Cloud:
    """Passes each request to its service."""

    def __init__(self, described: dict[str, dict[str, object]], aws_seconds: float, providers: Providers) -> None:
        self.counted = Counted()
        self.dynamodb = DynamoDb(tables_of(described), self.counted)
        self.queues = Queues(self.counted)
        self.secrets = Secrets(self.counted)
        self.objects = Objects(self.counted)
        self.schedules = Schedules(self.counted)
        self.providers = providers
        self._by_target: Mapping[str, Callable[[str, Body], Answer]] = {
            "DynamoDB_20120810": self.dynamodb.answer,
            "AmazonSQS": self.queues.answer,
            "secretsmanager": self.secrets.answer,
        }
        self._aws_seconds = aws_seconds

    def handle(self, asked: Asked) -> Answered:
        """Answer any request."""
        if asked.path.startswith("/_"):
            return self._control(asked)
        if asked.path.startswith(PROVIDER_PATHS):
            return self._provider(asked)
        service, _, action = asked.headers.get("x-amz-target", "").partition(".")
        if service in self._by_target:
            return Answered.json(*self._by_target[service](action, loads(asked.body)), after=self._aws_seconds)
        if asked.path.startswith("/schedules/"):
            return Answered.json(*self.schedules.answer(asked.method), after=self._aws_seconds)
        kind = asked.headers.get("content-type", "")
        status, headers, body = self.objects.answer(asked.method, unquote(asked.path), asked.body, kind)
        return Answered(status=status, headers=headers, body=body, after=self._aws_seconds)

    def _provider(self, asked: Asked) -> Answered:
        is_json = asked.headers.get("content-type", "").startswith("application/json")
        now = asyncio.get_running_loop().time()
        status, body = self.providers.answer(asked.path, loads(asked.body) if is_json else {}, now)
        return Answered.json(status, body, after=self.providers.seconds)

    def _control(self, asked: Asked) -> Answered:
        query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        answers: Mapping[str, Callable[[], object]] = {
            "/_counts": self.counted.as_json,
            "/_reset": self._reset,
            "/_taken": lambda: self.providers.taken,
            "/_throttled": lambda: self.providers.throttled,
            "/_sent": lambda: self.providers.reported(asyncio.get_running_loop().time()),
            "/_waiting": lambda: {url: len(queue) for url, queue in self.queues.waiting.items()},
            "/_take": lambda: self.queues.take(query["queue"], int(query["most"])),
        }
        return Answered.json(200, answers[asked.path]())

    def _reset(self) -> object:
        self.counted.reset()
        self.providers.clear()
        return {}


async def serve(cloud: Cloud) -> None:
    """Serve until cancelled. The first line on standard output is the address."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(cloud.handle), "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the tables' descriptions (template.yaml's Resources as JSON) from a file, and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.cloud")
    parser.add_argument("--resources", type=Path, required=True)
    parser.add_argument("--aws-ms", type=float, default=0.0)
    parser.add_argument("--provider-ms", type=float, default=0.0)
    parser.add_argument(
        "--provider-rate", type=int, default=0, help="messages a second, the provider throttles more; 0: no limit"
    )
    arguments = parser.parse_args()
    described = json.loads(arguments.resources.read_text())
    providers = Providers(arguments.provider_ms / 1000, arguments.provider_rate)
    cloud = Cloud(described, arguments.aws_ms / 1000, providers)
    asyncio.run(serve(cloud))


if __name__ == "__main__":
    main()
