"""JWTs of the local stack: its key pair, tokens for people who try the API, and the gateway's check of a token."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from local.http_event import Caller
from local.routes import JwtRule

ALL_SCOPES = ("messaging.read", "messaging.send", "messaging.admin")
AUDIENCE = "oomus-messaging"
_ALGORITHM = "RS256"
# `_check_times` checks the times by the stack's clock; this library would use the machine's.
_OPTIONS: Options = {
    "require": ["iss", "exp"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}


class UnauthorizedError(Exception):
    """The request has no token, or one that the gateway refuses."""


class ScopeMissingError(Exception):
    """The token is good but has none of the scopes that the route asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    issuer: str
    organisation: str | None = "demo"
    scopes: Sequence[str] = ALL_SCOPES
    subject: str | None = "local-officer"
    """The claim `sub`: the caller. None makes a token without it."""
    lifetime: timedelta = timedelta(hours=1)
    audience: str = AUDIENCE


def make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def save_key(key: rsa.RSAPrivateKey, path: Path) -> None:
    """Write the private key. Only its owner may read the file."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)


def load_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key


def mint(key: rsa.RSAPrivateKey, request: TokenRequest, now: datetime) -> str:
    """Sign a token. A negative lifetime makes an expired one."""
    issued = min(now, now + request.lifetime)
    claims: dict[str, Any] = {
        "iss": request.issuer,
        "aud": request.audience,
        "iat": int(issued.timestamp()),
        "exp": int((now + request.lifetime).timestamp()),
        "scope": " ".join(request.scopes),
    }
    if request.organisation is not None:
        claims["organisation_id"] = request.organisation
    if request.subject is not None:
        claims["sub"] = request.subject
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def authorize(authorization: str | None, rule: JwtRule, key: rsa.RSAPublicKey, now: datetime) -> Caller:
    """Check an Authorization header as an HTTP API's JWT authorizer does. Raises UnauthorizedError or
    ScopeMissingError.
    """
    token = (authorization or "").strip()
    if token[:7].lower() == "bearer ":
        token = token[7:].strip()
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[_ALGORITHM], issuer=rule.issuer, options=_OPTIONS)
    except jwt.InvalidTokenError as error:
        raise UnauthorizedError from error
    _check_times(claims, now)
    audience = claims.get("aud", claims.get("client_id"))
    named = audience if isinstance(audience, list) else [audience]
    if not set(rule.audiences) & {str(name) for name in named}:
        raise UnauthorizedError
    granted = str(claims.get("scope", claims.get("scp", ""))).split()
    if rule.scopes and not set(rule.scopes) & set(granted):
        raise ScopeMissingError
    matching = [scope for scope in rule.scopes if scope in granted]
    return Caller(claims={name: _as_string(value) for name, value in claims.items()}, scopes=matching or None)


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    instant = now.timestamp()
    try:
        good = (
            float(claims["exp"]) > instant
            and float(claims.get("nbf", 0)) <= instant
            and int(claims.get("iat", 0)) <= instant
        )
    except (TypeError, ValueError) as error:
        raise UnauthorizedError from error
    if not good:
        raise UnauthorizedError


def _as_string(value: object) -> str:
    """Write a claim as the gateway does: lists in brackets without commas, booleans in lower case."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + " ".join(_as_string(item) for item in value) + "]"
    return json.dumps(value)
