"""Meta's webhooks with invented numbers: the shapes of reference/whatsapp.md, section 5."""

from datetime import UTC, datetime
from typing import Any

type Json = Any  # hypothesis mutates these documents freely

SECONDS = 1_795_428_000
AT = datetime.fromtimestamp(SECONDS, UTC)
ACCOUNT_ID = "102290129340398"
NUMBER_ID = "1060001"
WA_ID = "221770000001"
PHONE = "+221770000001"
USER_ID = "SN.13491208655302741918"
WAMID = "wamid.HBgMMjIxNzcwMDAwMDAxFQIAERgSQUJDREVGMDEyMzQ1Njc4OUFCAA=="


def value(**fields: Json) -> dict[str, Json]:
    metadata = {"display_phone_number": "221770009999", "phone_number_id": NUMBER_ID}
    return {"messaging_product": "whatsapp", "metadata": metadata, **fields}


def change(reported: Json, field: str = "messages") -> dict[str, Json]:
    return {"field": field, "value": reported}


def document(*changes: Json) -> dict[str, Json]:
    entry = {"id": ACCOUNT_ID, "time": SECONDS, "changes": list(changes)}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def contact(**fields: Json) -> dict[str, Json]:
    return {"profile": {"name": "Aminata", "username": "aminata"}, "wa_id": WA_ID, **fields}


def message(kind: str, **fields: Json) -> dict[str, Json]:
    return {"from": WA_ID, "id": WAMID, "timestamp": str(SECONDS), "type": kind, **fields}


def inbound(*messages: Json, **fields: Json) -> dict[str, Json]:
    return document(change(value(messages=list(messages), **fields)))


def text(body: str, **fields: Json) -> dict[str, Json]:
    return message("text", text={"body": body}, **fields)
