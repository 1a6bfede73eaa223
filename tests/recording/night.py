"""Before seven in Senegal: messages that wait for the morning. Ends at 10:05, when it is day in all countries."""

from datetime import UTC, datetime

from tests.recording import world
from tests.recording.tape import LANGUAGES, Scene, Tape

DAY = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)


def play(tape: Tape) -> None:
    with Scene(tape, "night") as scene:
        world.set_up(scene)
        scene.both("POST", "/v1/integrations/sms/test", json={"to": "+221770008200"})
        preview = {"channel": "sms", "content": world.TEXT, "recipients": [world.recipient(scene, world.PLAIN)]}
        scene.both("POST", "/v1/preview", json=preview)
        ids: list[str] = []
        for number, channel in ((1, "sms"), (2, "whatsapp")):
            for language in LANGUAGES:
                body = world.order(scene, world.PLAIN + number, channel)
                headers = {"idempotency-key": f"{channel}-{language}"}
                made = scene.ok(scene.call("POST", "/v1/messages", language=language, json=body, headers=headers))
                ids.append(made["message_id"])
        in_mali = world.recipient(scene, 0, phone="+22370008200")
        on_madagascar = world.recipient(scene, 0, phone="+261320008200")
        plan = world.bulk(scene, world.recipient(scene, world.PLAIN + 3), in_mali, on_madagascar, confirm=True)
        bulk = world.distribute(scene, plan, "bulk")["distribution_id"]
        world.stands(scene, bulk, "sending", delivered=1)
        scene.both("GET", f"/v1/messages/{ids[0]}")
        scene.both("GET", f"/v1/messages?distribution_id={bulk}", unordered=True)
        scene.stack.move_to(DAY)
        for one in ids:
            world.settled(scene, one, "delivered", "read")
            scene.both("GET", f"/v1/messages/{one}")
        world.stands(scene, bulk, "completed", "sending", delivered=3)
        scene.both("GET", f"/v1/messages?distribution_id={bulk}", unordered=True)
        world.ledger(scene, "orange")
        world.ledger(scene, "meta")
