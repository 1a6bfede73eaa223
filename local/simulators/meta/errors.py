"""Graph's error bodies. The codes, titles and statuses are in reference/whatsapp.md §4."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

TITLES: Mapping[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    4: (400, "Application request limit reached"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    104: (401, "An access token is required to request this resource."),
    190: (401, "Error validating access token: Session has expired"),
    200: (403, "Permissions error"),
    2500: (400, "Unknown path components"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131031: (403, "Business Account locked"),
    131042: (400, "Business eligibility payment issue"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Unsupported message type"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is Paused"),
    132016: (400, "Template is Disabled"),
    132018: (400, "Template parameter is invalid"),
    133010: (400, "Phone number not registered"),
}
"""Code → HTTP status, title."""

PARAM_TEXT = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"
BAD_MEDIA = "Param image['id'] is not a valid whatsapp business account media attachment ID"


class GraphError(Exception):
    """An error answer. `status` replaces the table's status where Meta is known to vary."""

    def __init__(self, code: int, details: str = "", *, status: int | None = None, subcode: int | None = None) -> None:
        super().__init__(code, details)
        table_status, self.title = TITLES[code]
        self.code = code
        self.status = status or table_status
        self.details = details or self.title
        self.subcode = subcode

    def answer(self, trace: str) -> JSONResponse:
        """Return the documented body. Codes 33 and 100 have their detail in the message too, as in Graph."""
        message = self.details if self.code in {33, 100} else self.title
        error: dict[str, object] = {
            "message": f"(#{self.code}) {message}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": trace,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.code in {2, 131016}:
            error["is_transient"] = True
        return JSONResponse({"error": error}, self.status)


def webhook_error(code: int) -> dict[str, object]:
    """Return one element of `errors` in a `failed` status."""
    title = TITLES[code][1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": title},
        "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
    }
