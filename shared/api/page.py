"""Renders the OpenAPI document as HTML: routes by tag, every closed set with a sentence for each value, and schemas."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from shared.api import openapi, problems
from shared.api.openapi import as_object
from shared.api.texts.sentences import Language, TextKind, with_gaps
from shared.api.texts.values import VALUES
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1,h2,h3{line-height:1.25}
h2{margin-top:3rem;border-bottom:1px solid #d0d7de}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f6f8fa;padding:.8rem;overflow:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border:1px solid #d0d7de}
summary{cursor:pointer;padding:.3rem 0}
.method{display:inline-block;min-width:4.5rem;font-weight:700}.scope{color:#57606a}
details{border-bottom:1px solid #eaeef2}
details>*:not(summary){margin-left:1.2rem}
"""


def html(document: JsonObject, language: Language) -> str:
    """The whole page. Everything from the document is escaped."""
    info = as_object(document["info"])
    title = escape(str(info["title"]))
    intro = "".join(f"<p>{_prose(part)}</p>" for part in str(info["description"]).split("\n\n"))
    body = "".join((intro, *_operations(document), *_codes(document, language), *_schemas(document)))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><h1>{title}</h1><p><a href="openapi.json">openapi.json</a></p>{body}</body></html>'
    )


def _operations(document: JsonObject) -> Iterator[str]:
    for tag in _objects(document["tags"]):
        yield f"<h2>{escape(str(tag['name']))}</h2>"
        for route_key, operation in openapi.routes().items():
            if tag["name"] in _list(operation["tags"]):
                yield _operation(route_key, operation)


def _operation(route_key: str, operation: JsonObject) -> str:
    method, path = route_key.split(" ")
    scopes = [str(scope) for entry in _objects(operation["security"]) for scope in _list(entry.get("bearer"))]
    scope = f' <span class="scope">{escape(", ".join(scopes))}</span>' if scopes else ""
    responses = "".join(
        _row(status, _prose(_description(as_object(response))), _link(_content_schema(as_object(response))))
        for status, response in as_object(operation["responses"]).items()
    )
    return (
        f'<details id="{escape(str(operation["operationId"]))}"><summary><span class="method">{method}</span>'
        f"<code>{escape(path)}</code> {_prose(str(operation['summary']))}{scope}</summary>"
        f"<p>{_prose(str(operation.get('description', '')))}</p>{_parameters(operation)}{_request(operation)}"
        f"<table><tr><th>Status</th><th>Meaning</th><th>Body</th></tr>{responses}</table></details>"
    )


def _parameters(operation: JsonObject) -> str:
    rows = "".join(
        _row(
            f"<code>{escape(str(one['name']))}</code>",
            escape(str(one["in"])) + (", required" if one.get("required") else ""),
            _type(as_object(one["schema"])),
            _prose(str(one.get("description", ""))),
        )
        for one in openapi.parameters(str(operation["operationId"]))
    )
    return f"<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>{rows}</table>" if rows else ""


def _request(operation: JsonObject) -> str:
    if "requestBody" not in operation:
        return ""
    return f"<p>Body: {_link(openapi.body_schema(str(operation['operationId'])))}</p>"


def _schemas(document: JsonObject) -> Iterator[str]:
    yield "<h2>Schemas</h2>"
    for name, schema in _named(document):
        if "enum" not in schema:
            yield f'<h3 id="schema-{escape(name)}">{escape(name)}</h3>{_schema(schema)}'


def _named(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for name, schema in as_object(as_object(document["components"])["schemas"]).items():
        yield name, as_object(schema)


def _schema(schema: JsonObject) -> str:
    required = _list(schema.get("required"))
    rows = "".join(
        _row(
            f"<code>{escape(name)}</code>" + ("" if name in required else "?"),
            _type(as_object(one)),
            _prose(str(as_object(one).get("description", ""))),
        )
        for name, one in as_object(schema.get("properties", {})).items()
    )
    table = f"<table><tr><th>Field</th><th>Type</th><th></th></tr>{rows}</table>" if rows else f"<p>{_type(schema)}</p>"
    examples = "".join(
        f"<pre>{escape(json.dumps(one, ensure_ascii=False, indent=2))}</pre>" for one in _list(schema.get("examples"))
    )
    return f"<p>{_prose(str(schema.get('description', '')))}</p>{table}{examples}"


_KINDS: Mapping[str, tuple[TextKind, ...]] = {
    "ProblemCode": (TextKind.PROBLEM_TITLE, TextKind.PROBLEM_DETAIL),
    "FieldCode": (TextKind.FIELD,),
    "Reason": (TextKind.REASON,),
    "StatusReason": (TextKind.STATUS_REASON,),
    "WarningCode": (TextKind.WARNING,),
    "DeadLetterReason": (TextKind.DEAD_LETTER,),
}
"""Where the sentences of a set are; those of every other set are in `VALUES`."""

_LANGUAGES: Mapping[Language, str] = {"en": "English", "fr": "Français"}


def _codes(document: JsonObject, language: Language) -> Iterator[str]:
    """A table for each closed set. The reader's language comes first; both are there, so that a page in a cache or in
    a letter serves everyone."""
    yield "<h2>Codes</h2>"
    for name, schema in _named(document):
        if "enum" not in schema:
            continue
        languages = sorted(_LANGUAGES, key=lambda one: one != language)
        rows = "".join(_code(name, str(value), languages) for value in _list(schema["enum"]))
        titles = "".join(f'<th lang="{one}">{_LANGUAGES[one]}</th>' for one in languages)
        yield (
            f'<h3 id="schema-{escape(name)}">{escape(name)}</h3><p>{_prose(str(schema.get("description", "")))}</p>'
            f"<table><tr><th>Code</th>{titles}</tr>{rows}</table>"
        )


def _code(name: str, value: str, languages: Sequence[Language]) -> str:
    status = f" ({problems.STATUS[ProblemCode(value)]})" if name == "ProblemCode" else ""
    anchor = f"problem-{value}" if name == "ProblemCode" else f"{name}-{value}"
    said = "".join(f'<td lang="{one}">{_prose(_sentences_of(name, value, one))}</td>' for one in languages)
    return f'<tr id="{escape(anchor)}"><td><code>{escape(value)}</code>{status}</td>{said}</tr>'


def _sentences_of(name: str, value: str, language: Language) -> str:
    """What the value means and what to do. An answer fills in the facts that stand as … here."""
    if name not in _KINDS:
        return VALUES[name][value][language]
    title, *details = ([*with_gaps(kind, value, language)] for kind in _KINDS[name])
    return " ".join((f"{title[0]}.", *details[0]) if details else title)


def _type(schema: JsonObject) -> str:
    if "$ref" in schema:
        return _link(schema)
    if "oneOf" in schema and "properties" not in schema:
        return " or ".join(_type(one) for one in _objects(schema["oneOf"]))
    if "enum" in schema or "const" in schema:
        values = _list(schema["enum"]) if "enum" in schema else [schema["const"]]
        return ", ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    kinds = " or ".join(str(kind) for kind in _list(schema.get("type")) or [schema.get("type", "any")])
    items = f" of {_type(as_object(schema['items']))}" if "items" in schema else ""
    limits = [f"{name} {schema[name]}" for name in _LIMITS if name in schema]
    return escape(kinds) + items + (f" <small>({escape(', '.join(limits))})</small>" if limits else "")


_LIMITS = ("format", "pattern", "minimum", "maximum", "minItems", "maxItems", "maxLength", "default")


def _link(schema: JsonObject | None) -> str:
    if schema is None:
        return ""
    if "$ref" not in schema:
        return _type(schema)
    name = escape(str(schema["$ref"]).rpartition("/")[2])
    return f'<a href="#schema-{name}">{name}</a>'


def _content_schema(response: JsonObject) -> JsonObject | None:
    for content in as_object(openapi.followed(response).get("content", {})).values():
        return as_object(as_object(content)["schema"])
    return None


def _description(response: JsonObject) -> str:
    return str(openapi.followed(response)["description"])


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _prose(source: str) -> str:
    """Escaped, with `backticks` as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(source, quote=False))


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _objects(value: JsonValue) -> list[JsonObject]:
    return [as_object(one) for one in _list(value)]
