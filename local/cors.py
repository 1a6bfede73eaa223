"""CORS as an HTTP API answers it from its CorsConfiguration. The gateway removes the function's own CORS headers."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

log = logging.getLogger(__name__)


def fits(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`, in which `*` stands for any characters."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """The CORS configuration of an HTTP API.

    An origin may hold a `*`. AWS allows it only after the scheme. This stack also allows it in its own list of local
    origins (`local.settings.FRONT_END_ORIGINS`).
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self | None:
        """Read the API's OpenAPI extension; None if the API has no CORS."""
        settings = document.get("x-amazon-apigateway-cors")
        if not settings:
            return None
        if not isinstance(settings, Mapping):
            # SAM replaces the whole configuration by AllowOrigins if that is an intrinsic function; AWS refuses such an
            # import.
            log.error(
                "x-amazon-apigateway-cors is no mapping: the API has no CORS. Check AllowOrigins in template.yaml"
            )
            return None
        return cls(
            origins=tuple(settings.get("allowOrigins", ())),
            methods=tuple(settings.get("allowMethods", ())),
            headers=tuple(name.lower() for name in settings.get("allowHeaders", ())),
            exposed=tuple(settings.get("exposeHeaders", ())),
            max_age=None if settings.get("maxAge") is None else int(settings["maxAge"]),
            credentials=bool(settings.get("allowCredentials", False)),
        )

    def _origin_header(self, origin: str) -> dict[str, str]:
        if "*" in self.origins:
            return {"access-control-allow-origin": "*"}
        if not any(fits(allowed, origin) for allowed in self.origins):
            return {}
        allowed = {"access-control-allow-origin": origin, "vary": "Origin"}
        return {**allowed, "access-control-allow-credentials": "true"} if self.credentials else allowed

    def preflight_headers(self, request_headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of the answer to a preflight. An empty result is a refusal."""
        method = request_headers.get("access-control-request-method", "")
        asked = [name.strip().lower() for name in request_headers.get("access-control-request-headers", "").split(",")]
        allowed = self._origin_header(request_headers.get("origin", ""))
        if not allowed or not ({method, "*"} & set(self.methods)):
            return {}
        if "*" not in self.headers and any(name and name not in self.headers for name in asked):
            return {}
        allowed["access-control-allow-methods"] = ",".join(self.methods)
        allowed["access-control-allow-headers"] = ",".join(self.headers)
        if self.max_age is not None:
            allowed["access-control-max-age"] = str(self.max_age)
        return allowed

    def response_headers(self, request_headers: Mapping[str, str]) -> dict[str, str]:
        allowed = self._origin_header(request_headers.get("origin", ""))
        if allowed and self.exposed:
            allowed["access-control-expose-headers"] = ",".join(self.exposed)
        return allowed
