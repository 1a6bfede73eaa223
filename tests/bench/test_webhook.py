"""The bench of the webhook moves real rows and counts them."""

import pytest

from bench.cards import DISTRIBUTION, Programme
from bench.stand import CLOCK, ORGANISATION, logged, stand, unheard
from bench.webhook import APART, STATUSES, Webhook, bodies, in_bodies, one_by_one
from functions.webhook.app import build
from shared.app.runtime import Loop
from shared.campaigns.distribution import together
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.dynamodb.distributions import DynamoDistributions
from shared.storage.dynamodb.log import DynamoLog


def test_the_timed_part_moves_every_row_with_the_expected_requests() -> None:
    with stand() as place, logged():
        loop, programme = Loop(unheard), Programme(place)
        loop.run(programme.open())
        sent = loop.run(programme.sent(Channel.WHATSAPP, 30, APART))
        webhook = Webhook(place, build(place.environment, CLOCK, loop=loop))
        place.ask("reset")
        turn = in_bodies(webhook, bodies(sent, 30), 3 * len(sent))
        counts = place.ask("counts")["requests"]
        rows = loop.run(DynamoLog(Aws(), "LogTable").get_many(ORGANISATION, [one.message_id for one in sent]))
        reported = together(
            loop.run(DynamoDistributions(Aws(), "StateTable").counts(ORGANISATION, DISTRIBUTION)).values()
        )
        loop.close()
    assert turn.messages == 90
    assert {row.status for row in rows.values()} == {Status.READ}
    assert all(row.delivered_at is not None for row in rows.values())
    assert reported.by_status[Status.READ] == 30
    moves = 2 * 30  # the sender has recorded each `sent` already
    assert moves <= counts["dynamodb.UpdateItem"] <= moves + 10, "counts and pulse come by the batch, not by the status"
    assert counts["dynamodb.BatchGetItem"] <= 30, "who is whom is asked for many at once"
    assert counts["dynamodb.BatchWriteItem"] <= 15, "and kept for many at once"


def test_a_refused_event_raises() -> None:
    with stand() as place, logged():
        loop, programme = Loop(unheard), Programme(place)
        loop.run(programme.open())
        sent = loop.run(programme.sent(Channel.WHATSAPP, 1, APART))
        webhook = Webhook(place, build(place.environment, CLOCK, loop=loop))
        (call,) = bodies(sent, 1, STATUSES[1:2])
        assert len(one_by_one(webhook, [call])) == 1
        with pytest.raises(RuntimeError, match="not accepted"):
            webhook.post({**call, "headers": {"x-hub-signature-256": "sha256=00"}})
        with pytest.raises(RuntimeError, match="not handled"):
            webhook.work_off([{"messageId": "1", "body": "{"}])
        loop.close()
