"""Derives the inputs of the model on paper (`bench.scale.figures.Measured`) from the measurements."""

from collections.abc import Mapping

from bench.campaign import memory_of_functions
from bench.cards import row_of_a_campaign
from bench.cloud.expressions import Item
from bench.cloud.tables import tables_of, write_units
from bench.prices import VCPU_MB
from bench.sender import PROVIDER_MS
from shared.messages.payload import Channel
from shared.storage.dynamodb.items import attributes
from shared.storage.dynamodb.message_item import KEPT_FOR, to_item
from tests.template.reading import mapping, read

ANSWERS = {Channel.WHATSAPP: 0.25, Channel.SMS: 0.45}
"""Seconds that the providers need for an answer: the project's estimates."""
WRITES = 0.03
"""Three writes of 10 ms, one after the other. They are added here because the senders' bench has a stub that answers at
once.
"""
SENDERS = {Channel.WHATSAPP: "SendWhatsAppFunction", Channel.SMS: "SendSmsFunction"}


def of_sender(channel: Channel, found: Mapping[str, float], in_flight: int) -> dict[str, float]:
    """The seconds from claim to record: the provider's answer, our writes, and the batch's processor time.

    The processor time grows if the function's memory gives it only a part of a processor.
    """
    slower = max(VCPU_MB / memory_of_functions()[SENDERS[channel]], 1)
    own = max(in_flight / found["ours_per_second"] - PROVIDER_MS / 1000, 0) * slower
    return {f"{channel}_call": round(ANSWERS[channel] + WRITES + own, 3)}


def of_campaign(woken: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The seconds of an invocation, by what woke it."""
    kinds = {"webhook": "WebhookFunction.http", "status_batch": "WebhookFunction.queue"}
    return {name: round(woken[kind]["seconds"] / woken[kind]["invocations"], 4) for name, kind in kinds.items()}


def of_a_row() -> dict[str, float]:
    """The write units of a log item, and the number of indexes that hold a campaign's row."""
    table = tables_of(mapping(read(), "Resources"))["LogTable"]  # type: ignore[arg-type]  # the template's own shape
    item: Item = {name: dict(value) for name, value in attributes(to_item(row_of_a_campaign(), KEPT_FOR)).items()}
    indexes = sum(index.entry(item) is not None for index in table.indexes)
    return {"log_item_writes": float(write_units(item)), "indexes_of_a_row": float(indexes)}
