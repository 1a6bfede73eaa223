"""Payloads in Meta's JSON (reference/whatsapp.md, section 1)."""

from shared.domain.errors import Kind, SendError
from shared.domain.payload import Mode, Payload, ReplyButton, TemplateCall


def body_of(payload: Payload, media_id: str, key: str) -> dict[str, object]:
    """The body of POST /messages. `media_id` empty: no picture. `key` comes back in every status of the message.

    The number keeps its +: without one Meta may put the sender's country code before it. A person who wrote without a
    number is answered by their user ID.
    """
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to" if payload.to.startswith("+") else "recipient": payload.to,
        "biz_opaque_callback_data": key,
        **_content(payload, media_id),
    }


def _content(payload: Payload, media_id: str) -> dict[str, object]:
    if payload.mode is not Mode.SESSION:
        if payload.template is None:
            raise SendError(Kind.BUG, "template_absent", "provider_rejected")
        picture = media_id if payload.card_image else ""
        return {"type": "template", "template": _template(payload.template, picture)}
    if media_id and payload.card_image:
        caption = {"caption": payload.text} if payload.text else {}
        return {"type": "image", "image": {"id": media_id, **caption}}
    if payload.button is not None:
        return {"type": "interactive", "interactive": _with_button(payload.text, payload.button)}
    return {"type": "text", "text": {"preview_url": False, "body": payload.text}}


def _with_button(text: str, button: ReplyButton) -> dict[str, object]:
    """A text with one reply button (Meta's "interactive reply buttons message")."""
    reply = {"id": button.id, "title": button.title}
    return {"type": "button", "body": {"text": text}, "action": {"buttons": [{"type": "reply", "reply": reply}]}}


def _template(call: TemplateCall, media_id: str) -> dict[str, object]:
    """Components without variables are left out: Meta counts them as too many parameters."""
    components: list[dict[str, object]] = []
    if media_id:
        components.append({"type": "header", "parameters": [{"type": "image", "image": {"id": media_id}}]})
    if call.parameters:
        components.append({"type": "body", "parameters": [_parameter(call, *pair) for pair in call.parameters]})
    if call.button is not None:
        suffix = [{"type": "text", "text": call.button.suffix}]
        components.append({"type": "button", "sub_type": "url", "index": str(call.button.index), "parameters": suffix})
    template: dict[str, object] = {"name": call.name, "language": {"code": call.language}}
    return {**template, "components": components} if components else template


def _parameter(call: TemplateCall, name: str, value: str) -> dict[str, str]:
    """A positional template's parameters have no names: Meta refuses one that has."""
    named = {} if call.positional else {"parameter_name": name}
    return {"type": "text", **named, "text": value}
