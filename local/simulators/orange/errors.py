"""The three kinds of Orange's error bodies (reference/orange_sms.md §2, §5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse

GATEWAY: Mapping[str, tuple[str, str]] = {
    "400/20": ("Invalid URL parameter value", "A URL parameter is not valid."),
    "400/21": ("Missing body", "The request body is missing."),
    "400/22": ("Invalid body", "The request body is not valid JSON."),
    "400/23": ("Missing body field", "A mandatory body field is missing."),
    "400/24": ("Invalid body field", "A body field is unknown or not valid."),
    "400/25": ("Missing header", "A mandatory header is missing."),
    "400/28": ("Invalid query-string parameter value", "A query-string parameter is unknown or not valid."),
    "401/40": ("Missing credentials", "The requested service needs credentials, but none were provided."),
    "401/41": ("Invalid credentials", "The credentials are invalid, pending or revoked."),
    "401/42": (
        "Expired credentials",
        "The requested service needs credentials, and the ones provided were out-of-date.",
    ),
    "403/50": ("Access denied", "The application has no active subscription to this API."),
    "403/51": ("Forbidden requester", "The requester is blocked."),
    "403/52": ("Forbidden user", "The user is blocked."),
    "403/53": ("Too many requests", "The spike arrest limit of the application has been exceeded."),
    "404/60": ("Resource not found", "The requested URI or the requested resource does not exist."),
    "405/61": ("Method not allowed", "The URI does not support the requested method."),
    "406/62": ("Not acceptable", "The Accept header lacks or names no type that can be given."),
    "408/63": ("Request time-out", "The request took too long to arrive."),
    "409/69": ("Conflict", "The request conflicts with the state of the resource."),
    "411/64": ("Length required", "The Content-Length header is missing."),
    "413/66": ("Request entity too large", "The body is too large."),
    "414/67": ("Request-URI too long", "The URI is too long."),
    "415/68": ("Unsupported Media Type", "The format of the body is not supported."),
    "429/53": ("Too many requests", "The spike arrest limit of the application has been exceeded."),
    "500/1": ("Internal error", "Internal error."),
    "502/1": ("Bad gateway", "The backend answered in an unexpected way."),
    "503/5": ("The service is temporarily unavailable", "The service is temporarily unavailable."),
    "503/6": ("Over capacity", "The service is over capacity."),
    "504/6": ("Gateway timeout", "The backend did not answer in time."),
}
"""`HTTP status/code` → message, description."""

SERVICE: Mapping[str, str] = {
    "SVC0001": "A service error occurred. Error code is %1",
    "SVC0002": "Invalid input value for message part %1",
    "SVC0003": "Invalid input value for message part %1, valid values are %2",
    "SVC0004": "No valid addresses provided in message part %1",
    "SVC0280": "Message too long. Maximum length is %1 characters",
}
POLICY: Mapping[str, str] = {
    "POL0001": "A policy error occurred. Error code is %1",
    "POL1009": "User has not been provisioned for this service",
    "POL1010": "User has been suspended from this service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthError:
    """The body of RFC 6749. The token endpoint uses it for faulty forms."""

    status: int
    error: str
    description: str


class OrangeError(Exception):
    """An error answer. `code` is `HTTP status/code` of the gateway, or `SVC…`, `POL…` of OneAPI.

    `odd` replaces the list of `variables` by one string, or by no field at all (None).
    """

    def __init__(
        self, code: str, *variables: str, oauth_error: OAuthError | None = None, odd: tuple[str | None] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.variables = variables
        self.oauth_error = oauth_error
        self.odd = odd

    def answer(self) -> JSONResponse:
        """Return the body in the shape of the code's family."""
        if self.oauth_error is not None:
            body: dict[str, object] = {
                "error": self.oauth_error.error,
                "error_description": self.oauth_error.description,
            }
            return JSONResponse(body, self.oauth_error.status)
        if self.code in SERVICE:
            return self._one_api(400, "serviceException", SERVICE[self.code])
        if self.code in POLICY:
            return self._one_api(403, "policyException", POLICY[self.code])
        status, _, code = self.code.partition("/")
        message, description = GATEWAY[self.code]
        detail = f"{description} {', '.join(self.variables)}".strip()
        return JSONResponse({"code": int(code), "message": message, "description": detail}, int(status))

    def _one_api(self, status: int, family: str, text: str) -> JSONResponse:
        inner: dict[str, object] = {"messageId": self.code, "text": text, "variables": list(self.variables)}
        if self.odd is not None:
            inner["variables"] = self.odd[0]
        if inner["variables"] is None:
            del inner["variables"]
        return JSONResponse({"requestError": {family: inner}}, status)
