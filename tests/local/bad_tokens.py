"""Tokens that every gateway must refuse: forged, expired, of another issuer, incomplete.

The tests of the authorizer and of the running stack share this list.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.tokens import ALL_SCOPES, AUDIENCE, TokenRequest, make_key, mint


def header(token: str) -> str:
    return f"Bearer {token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The issuer of good tokens: `key` signs them, `name` is the claim, `now` is the time of the check."""

    key: rsa.RSAPrivateKey
    name: str
    now: datetime

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims, with all scopes and an organisation. A change to None leaves a claim out."""
        instant = int(self.now.timestamp())
        caller = {"organisation_id": "demo", "scope": " ".join(ALL_SCOPES)}
        good = {"iss": self.name, "aud": AUDIENCE, "iat": instant, "exp": instant + 600, **caller}
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def signed(self, **changes: Any) -> str:
        """A header with these claims and a good signature."""
        return header(jwt.encode(self.claims(**changes), self.key, algorithm="RS256"))

    def minted(self, lifetime: timedelta = timedelta(hours=1)) -> str:
        return header(mint(self.key, TokenRequest(issuer=self.name, lifetime=lifetime), self.now))

    def soon(self) -> int:
        """One minute from now, in seconds since 1970."""
        return int(self.now.timestamp()) + 60

    def unsigned(self, algorithm: str) -> str:
        """Header and claims with an empty signature."""
        return ".".join([*(coded(json.dumps(part).encode()) for part in ({"alg": algorithm}, self.claims())), ""])

    def signed_with_the_public_key(self) -> str:
        """Signed with the public key as if it were a shared secret: the classic confusion of RS256 with HS256."""
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        pem = self.key.public_key().public_bytes(serialization.Encoding.PEM, public)
        reported = self.unsigned("HS256").removesuffix(".")
        return header(f"{reported}.{coded(hmac.new(pem, reported.encode(), hashlib.sha256).digest())}")

    def with_a_key_of_its_own(self) -> str:
        """The token's header brings the key for its own check."""
        own = make_key()
        brought = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key()))
        more = {"jwk": brought, "jku": "https://evil.example/keys"}
        return header(jwt.encode(self.claims(), own, algorithm="RS256", headers=more))

    def spliced(self) -> str:
        """Good claims with the signature of other good claims."""
        mine, theirs = (jwt.encode(self.claims(sub=name), self.key, algorithm="RS256") for name in ("mine", "theirs"))
        return header(".".join([*mine.split(".")[:2], theirs.split(".")[2]]))

    def with_a_list_for_an_issuer(self) -> str:
        """The issuer is a list. PyJWT itself would refuse to sign this token."""
        reported = json.dumps(self.claims(iss=[self.name])).encode()
        return header(jwt.PyJWS().encode(reported, self.key, "RS256"))


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


BAD: Mapping[str, Callable[[Issuer], str | None]] = {
    "missing": lambda _: None,
    "empty": lambda _: "Bearer ",
    "not a token": lambda _: "Bearer abc",
    "basic": lambda _: "Basic abc",
    "algorithm none": lambda i: header(i.unsigned("none")),
    "algorithm None": lambda i: header(i.unsigned("None")),
    "no signature": lambda i: header(i.unsigned("RS256")),
    "symmetric": lambda i: header(jwt.encode(i.claims(), "s" * 32, algorithm="HS256")),
    "another key": lambda i: header(jwt.encode(i.claims(), make_key(), algorithm="RS256")),
    "the public key as a secret": lambda i: i.signed_with_the_public_key(),
    "a key of its own": lambda i: i.with_a_key_of_its_own(),
    "another one's signature": lambda i: i.spliced(),
    "tampered": lambda i: i.minted()[:-4] + "AAAA",
    "twice": lambda i: f"{i.signed()}, Bearer x",
    "expired": lambda i: i.minted(timedelta(seconds=-60)),
    "no expiry": lambda i: i.signed(exp=None),
    "expiry no number": lambda i: i.signed(exp="soon"),
    "expiry a list": lambda i: i.signed(exp=[9_999_999_999]),
    "not yet": lambda i: i.signed(nbf=i.soon()),
    "not yet, in words": lambda i: i.signed(nbf="now"),
    "issued later": lambda i: i.signed(iat=i.soon()),
    "issuer": lambda i: i.signed(iss="http://127.0.0.1:9"),
    "no issuer": lambda i: i.signed(iss=None),
    "issuer a list": lambda i: i.with_a_list_for_an_issuer(),
    "issuer with more behind": lambda i: i.signed(iss=f"{i.name}.evil"),
    "audience": lambda i: i.signed(aud="other"),
    "no audience": lambda i: i.signed(aud=None),
    "audience begins alike": lambda i: i.signed(aud=f"{AUDIENCE}-2"),
    "audience empty": lambda i: i.signed(aud=[]),
    "client_id beside another audience": lambda i: i.signed(aud="other", client_id=AUDIENCE),
}
