"""Payloads in Meta's JSON (reference/whatsapp.md, section 1)."""

from shared.domain.errors import Kind, SendError
from shared.domain.payload import Mode, Payload, TemplateCall


def body_of(payload: Payload, media_id: str, key: str) -> dict[str, object]:
    """The body of POST /messages. `media_id` empty: no picture. `key` comes back in every status of the message.

    The number keeps its +: without one Meta may put the sender's country code before it.
    """
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": payload.to,
        "biz_opaque_callback_data": key,
        **_content(payload, media_id),
    }


def _content(payload: Payload, media_id: str) -> dict[str, object]:
    if payload.mode is not Mode.SESSION:
        if payload.template is None:
            raise SendError(Kind.BUG, "template_absent", "provider_rejected")
        return {"type": "template", "template": _template(payload.template, media_id)}
    if media_id:
        return {"type": "image", "image": {"id": media_id, "caption": payload.text}}
    return {"type": "text", "text": {"preview_url": False, "body": payload.text}}


def _template(call: TemplateCall, media_id: str) -> dict[str, object]:
    """Components without variables are left out: Meta counts them as too many parameters."""
    components: list[dict[str, object]] = []
    if media_id:
        components.append({"type": "header", "parameters": [{"type": "image", "image": {"id": media_id}}]})
    if call.parameters:
        parameters = [{"type": "text", "parameter_name": name, "text": value} for name, value in call.parameters]
        components.append({"type": "body", "parameters": parameters})
    template: dict[str, object] = {"name": call.name, "language": {"code": call.language}}
    return {**template, "components": components} if components else template
