import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
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
from tests.local.bad_tokens import BAD, Issuer, header

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ISSUER = "http://127.0.0.1:8000"
RULE = JwtRule(issuer=ISSUER, audiences=(AUDIENCE,))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return make_key()


def test_a_minted_token_is_accepted_and_its_claims_are_strings(key: rsa.RSAPrivateKey) -> None:
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


def issuer_of(key: rsa.RSAPrivateKey) -> Issuer:
    return Issuer(key=key, name=ISSUER, now=NOW)


def test_a_token_with_good_claims_and_signature_is_accepted(key: rsa.RSAPrivateKey) -> None:
    assert authorize(issuer_of(key).signed(), RULE, key.public_key(), NOW).claims["organisation_id"] == "demo"


@pytest.mark.parametrize("case", BAD)
def test_each_bad_token_is_refused(key: rsa.RSAPrivateKey, case: str) -> None:
    with pytest.raises(UnauthorizedError):
        authorize(BAD[case](issuer_of(key)), RULE, key.public_key(), NOW)


@pytest.mark.parametrize("audience", [["x", AUDIENCE], AUDIENCE])
def test_one_of_several_audiences_is_enough(key: rsa.RSAPrivateKey, audience: object) -> None:
    token = issuer_of(key).signed(aud=audience, flag=True, groups=["a", "b"])
    caller = authorize(token, RULE, key.public_key(), NOW)
    assert (caller.claims["flag"], caller.claims["groups"]) == ("true", "[a b]")


def test_client_id_stands_in_for_a_missing_audience(key: rsa.RSAPrivateKey) -> None:
    token = issuer_of(key).signed(aud=None, client_id=AUDIENCE)
    authorize(token, RULE, key.public_key(), NOW)


def test_a_route_may_ask_for_scopes(key: rsa.RSAPrivateKey) -> None:
    rule = JwtRule(issuer=ISSUER, audiences=(AUDIENCE,), scopes=("messaging.admin",))
    token = header(mint(key, TokenRequest(issuer=ISSUER, scopes=("messaging.read",)), NOW))
    with pytest.raises(ScopeMissingError):
        authorize(token, rule, key.public_key(), NOW)
    everything = header(mint(key, TokenRequest(issuer=ISSUER), NOW))
    assert authorize(everything, rule, key.public_key(), NOW).scopes == ["messaging.admin"]


def test_only_its_owner_may_read_the_key_file(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("an older stack's")
    save_key(key, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public_key() == key.public_key()
