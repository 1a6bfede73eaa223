"""Reads a request to /messages as strictly as reference/whatsapp.md §1 describes it."""

import re
from dataclasses import dataclass, field

import phonenumbers

from local.simulators.meta.accounts import is_old
from local.simulators.meta.errors import PARAM_TEXT, GraphError
from local.simulators.meta.shapes import Reader

COMMON = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
TYPES = {"template", "image", "text", "interactive"}
MOST_BUTTONS = 3
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_PARAMETER = re.compile(r"[a-z_][a-z0-9_]*")
_CONTROL = re.compile(r"[\n\r\t]| {5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture, given by exactly one of the two fields."""

    media_id: str | None
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """A template and its values. `parameters` are in the order of the request; a positional one has the name None."""

    name: str
    language: str
    parameters: tuple[tuple[str | None, str], ...]
    buttons: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `wa_id` is the number as Meta has it: digits only.

    If the request names a `recipient`, `to` and `wa_id` are both the user ID until the number is looked up.
    """

    to: str
    wa_id: str
    kind: str
    key: str | None
    picture: Picture | None = None
    text: str | None = None
    template: TemplateUse | None = field(default=None)
    buttons: tuple[tuple[str, str], ...] = ()
    """ID and title of each reply button."""


def read(body: dict[str, object]) -> Message:
    """Return the message in `body`. Raises GraphError."""
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in TYPES:
        raise GraphError(
            131051, "Message type is not currently supported by the simulator: template, image, text or interactive"
        )
    reader = Reader(body, "", COMMON | {kind})
    reader.one_of("messaging_product", {"whatsapp"})
    if "recipient_type" in reader:
        reader.one_of("recipient_type", {"individual"})
    if "context" in reader:
        reader.part("context", {"message_id"}).text("message_id")
    key = reader.optional_text("biz_opaque_callback_data")
    if key is not None and len(key) > 512:
        raise GraphError(100, "Param biz_opaque_callback_data must be at most 512 characters long")
    to, wa_id = _recipient(reader.text("to")) if "to" in reader else _user(reader.text("recipient"))
    match kind:
        case "template":
            picture, template = _template(reader)
            return Message(to=to, wa_id=wa_id, kind=kind, key=key, picture=picture, template=template)
        case "image":
            picture, caption = _image(reader)
            return Message(to=to, wa_id=wa_id, kind=kind, key=key, picture=picture, text=caption)
        case "interactive":
            text, buttons = _interactive(reader)
            return Message(to=to, wa_id=wa_id, kind=kind, key=key, text=text, buttons=buttons)
    return Message(to=to, wa_id=wa_id, kind=kind, key=key, text=_text(reader))


def _recipient(to: str) -> tuple[str, str]:
    """Meta accepts a number without + and may then prepend the sender's country code, which reaches a wrong person.

    The simulator refuses such a number.
    """
    number = re.sub(r"[-() ]", "", to)
    if not number.startswith("+"):
        raise GraphError(
            100, "Param to must start with +: without it Meta may prepend the sender's country code (simulator's rule)"
        )
    digits = number[1:]
    if not digits.isascii() or not digits.isdigit():
        raise GraphError(131009, "Param to is not a valid phone number")
    try:
        possible = is_old(digits) or phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        raise GraphError(131009, "Param to is not a valid phone number")
    return to, digits


def _user(recipient: str) -> tuple[str, str]:
    """Read a business-scoped user ID, which replaces the number."""
    if not _USER_ID.fullmatch(recipient):
        raise GraphError(131009, "Param recipient is not a business-scoped user ID")
    return recipient, recipient


def _text(reader: Reader) -> str:
    part = reader.part("text", {"body", "preview_url"})
    return _bounded(part.text("body"), 4096, part.path("body"))


def _interactive(reader: Reader) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Read reply buttons. The product does not use Meta's other interactive messages."""
    part = reader.part("interactive", {"type", "header", "body", "footer", "action"})
    part.one_of("type", {"button"})
    body = part.part("body", {"text"})
    text = _bounded(body.text("text"), 1024, body.path("text"))
    if "header" in part:
        header = part.part("header", {"type", "text"})
        header.one_of("type", {"text"})
        _bounded(header.text("text"), 60, header.path("text"))
    if "footer" in part:
        footer = part.part("footer", {"text"})
        _bounded(footer.text("text"), 60, footer.path("text"))
    action = part.part("action", {"buttons"})
    buttons = [_reply(button) for button in action.parts("buttons", {"type", "reply"})]
    if not 1 <= len(buttons) <= MOST_BUTTONS:
        raise GraphError(131009, f"Param {action.path('buttons')} must hold 1 to {MOST_BUTTONS} buttons")
    for one in zip(*buttons, strict=True):
        if len(set(one)) < len(one):
            raise GraphError(131009, f"Param {action.path('buttons')}: two buttons have the same ID or title")
    return text, tuple(buttons)


def _reply(button: Reader) -> tuple[str, str]:
    button.one_of("type", {"reply"})
    reply = button.part("reply", {"id", "title"})
    identity, title = reply.text("id"), reply.text("title")
    return _bounded(identity, 256, reply.path("id")), _bounded(title, 20, reply.path("title"))


def _image(reader: Reader) -> tuple[Picture, str | None]:
    part = reader.part("image", {"id", "link", "caption"})
    caption = part.optional_text("caption")
    if caption is not None:
        _bounded(caption, 1024, part.path("caption"))
    return _picture(part), caption


def _bounded(value: str, limit: int, path: str) -> str:
    if not value.strip():
        raise GraphError(131008, f"Required parameter is missing: {path}")
    if len(value) > limit:
        raise GraphError(100, f"Param {path} must be at most {limit} characters long")
    return value


def _picture(part: Reader) -> Picture:
    media_id, link = part.optional_text("id"), part.optional_text("link")
    if (media_id is None) == (link is None):
        raise GraphError(100, f"Exactly one of {part.path('id')} and {part.path('link')} must be given")
    return Picture(media_id=media_id, link=link)


def _template(reader: Reader) -> tuple[Picture | None, TemplateUse]:
    part = reader.part("template", {"name", "language", "components"})
    name = part.text("name")
    if not _NAME.fullmatch(name):
        raise GraphError(100, f"Param {part.path('name')} must be lowercase letters, digits and _, at most 512")
    language = part.part("language", {"code", "policy"})
    code = language.text("code")
    if not _LANGUAGE.fullmatch(code):
        raise GraphError(100, f"Param {language.path('code')} is not a language code")
    components = part.parts("components", {"type", "parameters", "sub_type", "index"}) if "components" in part else []
    picture: Picture | None = None
    parameters: tuple[tuple[str | None, str], ...] = ()
    buttons: list[tuple[int, str]] = []
    seen: set[str] = set()
    for component in components:
        kind = component.kind("type", {"header", "body", "button"})
        if kind in seen and kind != "button":
            raise GraphError(100, f"Component {kind} is given twice")
        seen.add(kind)
        match kind:
            case "header":
                picture = _header(component)
            case "body":
                parameters = _body(component)
            case _:
                buttons.append(_button(component))
    return picture, TemplateUse(name=name, language=code, parameters=parameters, buttons=tuple(buttons))


def _header(component: Reader) -> Picture:
    parameters = component.parts("parameters", {"type", "image"})
    if len(parameters) != 1:
        raise GraphError(132000, "header: a picture's header takes exactly one parameter")
    parameters[0].one_of("type", {"image"})
    return _picture(parameters[0].part("image", {"id", "link"}))


def _body(component: Reader) -> tuple[tuple[str | None, str], ...]:
    found: list[tuple[str | None, str]] = []
    for parameter in component.parts("parameters", {"type", "parameter_name", "text"}):
        parameter.one_of("type", {"text"})
        name = parameter.optional_text("parameter_name")
        if name is not None and not _PARAMETER.fullmatch(name):
            raise GraphError(100, f"Param {parameter.path('parameter_name')} is not a parameter name")
        if name is not None and name in {each for each, _ in found}:
            raise GraphError(100, f"Param {parameter.path('parameter_name')} is given twice")
        found.append((name, parameter_text(parameter)))
    return tuple(found)


def parameter_text(parameter: Reader) -> str:
    """Read a value for a template. Raises GraphError if Meta would refuse it."""
    value = parameter.text("text")
    if not value.strip():
        raise GraphError(131008, f"Required parameter is missing: {parameter.path('text')}")
    if _CONTROL.search(value):
        raise GraphError(132018, PARAM_TEXT)
    return value


def _button(component: Reader) -> tuple[int, str]:
    component.kind("sub_type", {"url", "quick_reply"})
    index = component.place("index")
    parameters = component.parts("parameters", {"type", "text", "payload"})
    if len(parameters) != 1:
        raise GraphError(100, f"Param {component.path('parameters')} must have exactly one parameter")
    kind = parameters[0].one_of("type", {"text", "payload"})
    if kind == "payload":
        return index, parameters[0].text("payload")
    return index, parameter_text(parameters[0])
