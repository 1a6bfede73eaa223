"""The HTTP API's routes, read from the OpenAPI document that SAM makes from template.yaml."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"}
_FUNCTION_NAME = re.compile(r":function:([^/:]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtRule:
    """What a route's authorizer demands of a token. One of `scopes` is enough; if there are none, none is needed."""

    issuer: str
    audiences: tuple[str, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    path: str
    function_name: str
    jwt: JwtRule | None

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")[1:]

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The path parameters, percent-decoded, or None if the path does not match this route."""
        parameters: dict[str, str] = {}
        pattern = self.segments
        for position, part in enumerate(pattern):
            if part.startswith("{") and part.endswith("+}"):
                rest = "/".join(segments[position:])
                return {**parameters, part[1:-2]: unquote(rest)} if rest else None
            if position >= len(segments):
                return None
            if part.startswith("{") and segments[position]:
                parameters[part[1:-1]] = unquote(segments[position])
            elif part != unquote(segments[position]):
                return None
        return parameters if len(pattern) == len(segments) else None

    def generality(self) -> tuple[list[int], bool]:
        """A sort key that puts the more specific route first: literal, variable, greedy; then a named method before
        ANY.
        """
        kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in self.segments]
        return kinds, self.method == "ANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    route: Route
    parameters: Mapping[str, str]


class RouteTable:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=Route.generality)

    def find(self, method: str, raw_path: str) -> Matched | None:
        """Find the most specific route for a path. `raw_path` is still percent-encoded."""
        segments = raw_path.split("/")[1:]
        for route in self._routes:
            if route.method in {method, "ANY"} and (parameters := route.match(segments)) is not None:
                return Matched(route=route, parameters=parameters)
        return None

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)


def read_routes(document: Mapping[str, Any]) -> list[Route]:
    """Read the routes from an OpenAPI document with API Gateway's extensions and all references resolved.

    Raises ValueError for an integration that the local stack cannot serve.
    """
    schemes = document.get("components", {}).get("securitySchemes", {})
    rules = {name: scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"] for name, scheme in schemes.items()}
    return [
        _read_route(path, method, operation, rules)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]


def _read_route(path: str, method: str, operation: Mapping[str, Any], rules: Mapping[str, Any]) -> Route:
    integration = operation["x-amazon-apigateway-integration"]
    if integration.get("payloadFormatVersion") != "2.0":
        raise ValueError(f"{method} {path}: the local stack serves only payload format 2.0")
    function = _FUNCTION_NAME.search(integration["uri"])
    if function is None:
        raise ValueError(f"{method} {path}: its integration names no function")
    jwt = None
    for requirement in operation.get("security", []):
        for scheme, scopes in requirement.items():
            if scheme in rules:
                audiences = tuple(rules[scheme]["audience"])
                jwt = JwtRule(issuer=rules[scheme]["issuer"], audiences=audiences, scopes=tuple(scopes))
    any_method = method == "x-amazon-apigateway-any-method"
    name = "ANY" if any_method else method.upper()
    return Route(method=name, path=path, function_name=function[1], jwt=jwt)
