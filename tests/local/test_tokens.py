import base64
import hashlib
import hmac
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.routes import JwtRule
from local.tokens import (
    AUDIENCE,
    ScopeMissingError,
    TokenRequest,
    UnauthorizedError,
    authorize,
    load_key,
    make_key,
    mint,
    save_key,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ISSUER = "http://127.0.0.1:8000"
RULE = JwtRule(issuer=ISSUER, audiences=(AUDIENCE,))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return make_key()


def header(token: str) -> str:
    return f"Bearer {token}"


def test_a_minted_token_is_taken_and_its_claims_are_strings(key: rsa.RSAPrivateKey) -> None:
    token = mint(key, TokenRequest(issuer=ISSUER, organisation="demo", scopes=("messaging.read",)), NOW)
    caller = authorize(header(token), RULE, key.public_key(), NOW)
    assert caller.claims["organisation_id"] == "demo"
    assert caller.claims["scope"] == "messaging.read"
    assert caller.claims["exp"] == str(int(NOW.timestamp()) + 3600)
    assert caller.scopes is None


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER  ", ""])
def test_the_scheme_is_optional_and_of_any_case(key: rsa.RSAPrivateKey, prefix: str) -> None:
    token = mint(key, TokenRequest(issuer=ISSUER), NOW)
    assert authorize(prefix + token, RULE, key.public_key(), NOW).claims["iss"] == ISSUER


def test_it_expires_by_the_given_clock(key: rsa.RSAPrivateKey) -> None:
    token = header(mint(key, TokenRequest(issuer=ISSUER), NOW))
    authorize(token, RULE, key.public_key(), NOW + timedelta(minutes=59))
    with pytest.raises(UnauthorizedError):
        authorize(token, RULE, key.public_key(), NOW + timedelta(hours=1))


def claims(**changes: Any) -> dict[str, Any]:
    instant = int(NOW.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "iat": instant, "exp": instant + 60}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def unsigned(payload: dict[str, Any], algorithm: str = "none", **more: Any) -> str:
    """Header and claims, and an empty signature."""
    return ".".join([*(coded(json.dumps(part).encode()) for part in ({"alg": algorithm, **more}, payload)), ""])


def signed_with_the_public_key(key: rsa.RSAPrivateKey) -> str:
    """What everybody may know, taken for a shared secret: the classic confusion of RS256 with HS256."""
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, public)
    told = unsigned(claims(), "HS256").removesuffix(".")
    return f"{told}.{coded(hmac.new(pem, told.encode(), hashlib.sha256).digest())}"


def with_a_key_of_its_own(_: rsa.RSAPrivateKey) -> str:
    """The header brings the key along that it is to be checked with."""
    own = make_key()
    brought = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key()))
    return jwt.encode(claims(), own, algorithm="RS256", headers={"jwk": brought, "jku": "https://evil.example/keys"})


def spliced(key: rsa.RSAPrivateKey) -> str:
    """Good claims with other good claims' signature."""
    mine, theirs = (jwt.encode(claims(sub=name), key, algorithm="RS256") for name in ("mine", "theirs"))
    return ".".join([*mine.split(".")[:2], theirs.split(".")[2]])


BAD: dict[str, Callable[[rsa.RSAPrivateKey], str | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: "Bearer ",
    "not a token": lambda _: "Bearer abc",
    "basic": lambda _: "Basic abc",
    "algorithm none": lambda _: header(unsigned(claims())),
    "symmetric": lambda _: header(jwt.encode(claims(), "s" * 32, algorithm="HS256")),
    "another key": lambda _: header(jwt.encode(claims(), make_key(), algorithm="RS256")),
    "expired": lambda k: header(mint(k, TokenRequest(issuer=ISSUER, lifetime=timedelta(seconds=-60)), NOW)),
    "no expiry": lambda k: header(jwt.encode(claims(exp=None), k, algorithm="RS256")),
    "expiry no number": lambda k: header(jwt.encode(claims(exp="soon"), k, algorithm="RS256")),
    "not yet": lambda k: header(jwt.encode(claims(nbf=int(NOW.timestamp()) + 60), k, algorithm="RS256")),
    "issued later": lambda k: header(jwt.encode(claims(iat=int(NOW.timestamp()) + 60), k, algorithm="RS256")),
    "issuer": lambda k: header(jwt.encode(claims(iss="http://127.0.0.1:9000"), k, algorithm="RS256")),
    "no issuer": lambda k: header(jwt.encode(claims(iss=None), k, algorithm="RS256")),
    "audience": lambda k: header(jwt.encode(claims(aud="other"), k, algorithm="RS256")),
    "no audience": lambda k: header(jwt.encode(claims(aud=None), k, algorithm="RS256")),
    "algorithm None": lambda _: header(unsigned(claims(), "None")),
    "the public key as a secret": lambda k: header(signed_with_the_public_key(k)),
    "a key of its own": lambda k: header(with_a_key_of_its_own(k)),
    "no signature": lambda _: header(unsigned(claims(), "RS256")),
    "another one's signature": lambda k: header(spliced(k)),
    "twice": lambda k: f"{header(jwt.encode(claims(), k, algorithm='RS256'))}, Bearer x",
    "expiry a list": lambda k: header(jwt.encode(claims(exp=[9_999_999_999]), k, algorithm="RS256")),
    "not yet, in words": lambda k: header(jwt.encode(claims(nbf="now"), k, algorithm="RS256")),
    "issuer a list": lambda k: header(jwt.PyJWS().encode(json.dumps(claims(iss=[ISSUER])).encode(), k, "RS256")),
    "issuer with more behind": lambda k: header(jwt.encode(claims(iss=f"{ISSUER}.evil"), k, algorithm="RS256")),
    "audience begins alike": lambda k: header(jwt.encode(claims(aud=f"{AUDIENCE}-2"), k, algorithm="RS256")),
    "audience empty": lambda k: header(jwt.encode(claims(aud=[]), k, algorithm="RS256")),
    "client_id beside another audience": lambda k: header(
        jwt.encode(claims(aud="other", client_id=AUDIENCE), k, algorithm="RS256")
    ),
    "tampered": lambda k: header(mint(k, TokenRequest(issuer=ISSUER), NOW)[:-4] + "AAAA"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_the_gateway_does_not_take(key: rsa.RSAPrivateKey, case: str) -> None:
    with pytest.raises(UnauthorizedError):
        authorize(BAD[case](key), RULE, key.public_key(), NOW)


@pytest.mark.parametrize("audience", [["x", AUDIENCE], AUDIENCE])
def test_one_of_several_audiences_is_enough(key: rsa.RSAPrivateKey, audience: object) -> None:
    token = jwt.encode(claims(aud=audience, flag=True, groups=["a", "b"]), key, algorithm="RS256")
    caller = authorize(header(token), RULE, key.public_key(), NOW)
    assert (caller.claims["flag"], caller.claims["groups"]) == ("true", "[a b]")


def test_client_id_stands_in_for_a_missing_audience(key: rsa.RSAPrivateKey) -> None:
    token = jwt.encode(claims(aud=None, client_id=AUDIENCE), key, algorithm="RS256")
    authorize(header(token), RULE, key.public_key(), NOW)


def test_a_route_may_ask_for_scopes(key: rsa.RSAPrivateKey) -> None:
    rule = JwtRule(issuer=ISSUER, audiences=(AUDIENCE,), scopes=("messaging.admin",))
    token = header(mint(key, TokenRequest(issuer=ISSUER, scopes=("messaging.read",)), NOW))
    with pytest.raises(ScopeMissingError):
        authorize(token, rule, key.public_key(), NOW)
    everything = header(mint(key, TokenRequest(issuer=ISSUER), NOW))
    assert authorize(everything, rule, key.public_key(), NOW).scopes == ["messaging.admin"]


def test_the_key_is_kept_for_its_owner_only(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("an older stack's")
    save_key(key, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public_key() == key.public_key()
