"""Templates of WhatsApp Business Accounts, created here or through /_control (reference/whatsapp.md §6)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from local.simulators.json_body import as_list, as_object, text_at
from local.simulators.meta.errors import GraphError
from local.simulators.meta.message import Picture, TemplateUse
from shared.base.instants import Clock

STATUSES = {"APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"}
_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAMED = re.compile(r"[a-z_][a-z0-9_]*")
_BLOCKED = {"PAUSED": 132015, "DISABLED": 132016}
ALWAYS = {"paused_template": 132015, "disabled_template": 132016, "missing_template": 132001}
"""Names of templates that every account refuses with this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template. Its `components` are as the request gave them."""

    template_id: str
    name: str
    language: str
    category: str
    parameter_format: str
    status: str
    components: tuple[Mapping[str, object], ...]
    made_at: datetime

    def shown(self) -> dict[str, object]:
        """Return every field that a request can ask for."""
        return {
            "id": self.template_id,
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "parameter_format": self.parameter_format,
            "status": self.status,
            "components": list(self.components),
            "quality_score": {"score": "UNKNOWN", "date": int(self.made_at.timestamp())},
            "health_status": {
                "can_send_message": "AVAILABLE" if self.status == "APPROVED" else "BLOCKED",
                "entities": [
                    {
                        "entity_type": "MESSAGE_TEMPLATE",
                        "id": self.template_id,
                        "can_send_message": "AVAILABLE" if self.status == "APPROVED" else "BLOCKED",
                    }
                ],
            },
        }

    @property
    def body(self) -> str:
        return next((text_at(each, "text") or "" for each in self.components if each.get("type") == "BODY"), "")

    @property
    def has_picture(self) -> bool:
        return any(each.get("type") == "HEADER" and each.get("format") == "IMAGE" for each in self.components)


class Templates:
    """The templates of each account (WABA), by name and language."""

    def __init__(self, next_serial: Callable[[], int], clock: Clock) -> None:
        self._next_serial = next_serial
        self._clock = clock
        self._of: dict[str, dict[tuple[str, str], Template]] = {}

    def put(self, account: str, wanted: Mapping[str, object], status: str) -> Template:
        """Create a template, after the checks that Meta makes at once. Raises GraphError."""
        if status not in STATUSES:
            raise GraphError(100, f"status must be one of {', '.join(sorted(STATUSES))}")
        name, language = _text(wanted, "name"), _text(wanted, "language")
        if not re.fullmatch(r"[a-z0-9_]{1,512}", name):
            raise GraphError(100, "Param name must be lowercase letters, digits and _")
        parameter_format = text_at(wanted, "parameter_format") or "POSITIONAL"
        if parameter_format not in {"NAMED", "POSITIONAL"}:
            raise GraphError(100, "Param parameter_format must be NAMED or POSITIONAL")
        template = Template(
            template_id=str(20_000_000_000_000 + self._next_serial()),
            name=name,
            language=language,
            category=_text(wanted, "category"),
            parameter_format=parameter_format,
            status=status,
            components=tuple(_components(wanted)),
            made_at=self._clock.now(),
        )
        _check_body(template)
        known = self._of.setdefault(account, {})
        if (name, language) in known and known[name, language].status != "REJECTED":
            raise GraphError(100, "There is already content in this language for this template", subcode=2388024)
        known[name, language] = template
        return template

    def set_status(self, account: str, name: str, language: str, status: str) -> Template | None:
        """Change the status. Returns the changed template, or None if there is none."""
        return self._change(account, name, language, status=status)

    def set_category(self, account: str, name: str, language: str, category: str) -> Template | None:
        """Change the category. Returns the changed template, or None if there is none."""
        return self._change(account, name, language, category=category)

    def find(self, account: str, name: str, language: str) -> Template | None:
        return self._of.get(account, {}).get((name, language))

    def edit(self, template_id: str, wanted: Mapping[str, object], status: str) -> tuple[str, Template] | None:
        """Replace the components of a template, with the status of a new review.

        Returns its account and the changed template, or None for an unknown ID. Raises GraphError.
        """
        for account, known in self._of.items():
            for key, template in known.items():
                if template.template_id == template_id:
                    changed = replace(template, components=tuple(_components(wanted)), status=status)
                    _check_body(changed)
                    known[key] = changed
                    return account, changed
        return None

    def _change(self, account: str, name: str, language: str, **changes: str) -> Template | None:
        known = self._of.get(account, {})
        if (name, language) not in known:
            return None
        known[name, language] = replace(known[name, language], **changes)  # type: ignore[arg-type]  # texts, by name
        return known[name, language]

    def listed(self, account: str) -> Iterator[Template]:
        return iter(self._of.get(account, {}).values())

    def of_id(self, template_id: str) -> Template | None:
        every = (each for known in self._of.values() for each in known.values())
        return next((each for each in every if each.template_id == template_id), None)

    def clear(self) -> None:
        self._of.clear()

    def check(self, account: str | None, use: TemplateUse, picture: Picture | None, *, known_only: bool) -> str | None:
        """Check that `use` fits the template. Returns the text that the person reads, if the template is known.

        Raises GraphError.
        """
        if use.name in ALWAYS:
            raise GraphError(ALWAYS[use.name])
        template = self._of.get(account or "", {}).get((use.name, use.language))
        if template is None:
            if known_only:
                raise GraphError(132001, f"template name ({use.name}) does not exist in {use.language}")
            if any(name is None for name, _ in use.parameters):
                raise GraphError(100, "Parameter name is missing or empty")
            _check_length(sum(len(value) for _, value in use.parameters))
            return None
        if template.status != "APPROVED":
            raise GraphError(_BLOCKED.get(template.status, 132001))
        return _hydrated(template, use, picture)


def _hydrated(template: Template, use: TemplateUse, picture: Picture | None) -> str:
    expected = list(dict.fromkeys(_VARIABLE.findall(template.body)))
    if len(use.parameters) != len(expected):
        counts = f"({len(use.parameters)}) does not match the expected number of params ({len(expected)})"
        raise GraphError(132000, f"body: number of localizable_params {counts}")
    if template.has_picture != (picture is not None):
        raise GraphError(132012, "header: Format mismatch, expected " + ("IMAGE" if template.has_picture else "NONE"))
    named = template.parameter_format == "NAMED"
    if any((name is None) == named for name, _ in use.parameters):
        raise GraphError(100, "Parameter name is missing or empty" if named else "Unexpected parameter_name")
    values = {name or str(place): value for place, (name, value) in enumerate(use.parameters, start=1)}
    if set(values) != set(expected):
        raise GraphError(132012, "body: parameter names do not match those of the template")
    _check_buttons(template, use)
    text = _VARIABLE.sub(lambda match: values[match.group(1)], template.body)
    _check_length(len(text))
    return text


def _check_buttons(template: Template, use: TemplateUse) -> None:
    """Check that every button whose URL ends in a variable has its parameter.

    A parameter too many is accepted, because Meta does not document what happens then.
    """
    component = next((each for each in template.components if each.get("type") == "BUTTONS"), {})
    items = [as_object(each) or {} for each in as_list(component.get("buttons")) or []]
    needed = {place for place, each in enumerate(items) if _VARIABLE.search(text_at(each, "url") or "")}
    missing = needed - {place for place, _ in use.buttons}
    if missing:
        raise GraphError(131008, f"buttons: Button at index {min(missing)} of type Url requires a parameter")


def _check_length(length: int) -> None:
    if length > 1024:
        raise GraphError(132005, "Translated text too long: body over 1024 characters")


def _text(wanted: Mapping[str, object], name: str) -> str:
    value = text_at(wanted, name)
    if not value:
        raise GraphError(100, f"The parameter {name} is required")
    return value


def _components(wanted: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    items = as_list(wanted.get("components"))
    if not items:
        raise GraphError(100, "The parameter components is required")
    for item in items:
        component = as_object(item)
        if component is None or component.get("type") not in {"HEADER", "BODY", "FOOTER", "BUTTONS"}:
            raise GraphError(100, "components: an unknown component")
        if component["type"] == "HEADER" and component.get("format") == "IMAGE":
            example = as_object(component.get("example")) or {}
            handles = as_list(example.get("header_handle"))
            if not handles or not str(handles[0]).startswith("4:"):
                raise GraphError(100, "components: a picture's header needs example.header_handle", subcode=2388273)
        yield component


def _check_body(template: Template) -> None:
    body = template.body
    if not body or len(body) > 1024:
        raise GraphError(100, "components: BODY needs 1 to 1024 characters", subcode=2388040)
    if re.search(r"^\s*\{\{|\}\}\s*$|\}\}\s*\{\{", body):
        raise GraphError(100, "Variables can't be at the start or end of the template, or adjacent", subcode=2388299)
    names = list(dict.fromkeys(_VARIABLE.findall(body)))
    if template.parameter_format == "POSITIONAL":
        good = names == [str(place) for place in range(1, len(names) + 1)]
    else:
        good = all(_NAMED.fullmatch(name) for name in names) and _examples(template) == set(names)
    if not good:
        raise GraphError(100, "components: BODY's variables or their examples are not valid", subcode=2388072)


def _examples(template: Template) -> set[str]:
    body = next(each for each in template.components if each.get("type") == "BODY")
    example = as_object(body.get("example")) or {}
    items = as_list(example.get("body_text_named_params")) or []
    return {text_at(item, "param_name") or "" for item in items if text_at(item, "example")}
