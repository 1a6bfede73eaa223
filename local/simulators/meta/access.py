"""Checks the access token and the phone number ID. All are accepted except the ones here (docs/simulators.md)."""

from collections.abc import Mapping

from starlette.requests import Request

from local.simulators.meta.errors import GraphError

REFUSED_TOKENS: Mapping[str, tuple[int, str]] = {
    "expired-token": (190, "Session has expired"),
    "app-removed": (0, "We were unable to authenticate the app user"),
    "no-permission": (10, "Permission is either not granted or has been removed"),
    "no-access": (200, "The token has no access to this asset"),
    "app-limited": (4, "The app has reached its API call rate limit"),
    "account-locked": (131031, "The account has been locked"),
    "payment-due": (131042, "There was a payment problem with the account"),
}
REFUSED_NUMBERS: Mapping[str, tuple[int, str]] = {
    "404404404404404": (33, "Unsupported post request. Object with this ID does not exist"),
    "133010133010133": (133010, "Phone number not registered on the WhatsApp Business Platform"),
}


def bearer(request: Request) -> str:
    """Return the access token. Raises GraphError: 104 without a token, or the error of a token in REFUSED_TOKENS."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token.strip():
        raise GraphError(104)
    if token in REFUSED_TOKENS:
        raise GraphError(*REFUSED_TOKENS[token])
    return token


def number_id(request: Request) -> str:
    """Return the phone number ID in the path. Raises GraphError."""
    node: str = request.path_params["node"]
    if node in REFUSED_NUMBERS:
        raise GraphError(*REFUSED_NUMBERS[node])
    if not node.isascii() or not node.isdigit():
        raise GraphError(2500, f"Unknown path components: /{node}")
    return node
