import posixpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards import references
from shared.cards.references import CardHost, WebCard, is_owned, parse, parse_buckets, parse_hosts

ORGANISATION = "pnv-sn"
HOSTS = parse_hosts("cards.example.org, files.example.org:8443,http://127.0.0.1,http://[::1]:9000")
BUCKETS = parse_buckets("oomus-cards, other-cards")
LONG = "https://cards.example.org/" + "a" * 2048


def check(
    reference: str,
    hosts: tuple[CardHost, ...] = HOSTS,
    buckets: frozenset[str] = BUCKETS,
    organisation: str = ORGANISATION,
) -> str | None:
    return references.check(reference, hosts, buckets, organisation=organisation)


@pytest.mark.parametrize(
    "reference",
    [
        "s3://oomus-cards/pnv-sn/vaccination/OM-0001.png",
        "s3://other-cards/pnv-sn/a b/é.png",
        "https://cards.example.org/a.png",
        "HTTPS://Cards.Example.ORG/a.png",
        "https://cards.example.org./a.png",
        "https://cards.example.org:443/a.png?v=1",
        "https://cards.example.org?card=1",
        "https://cards.example.org",
        "https://cards.example.org/cartes/été.png#page",
        "https://files.example.org:8443/a.png",
        "http://127.0.0.1:41234/a.png",
        "https://127.0.0.1/a.png",
        "http://[::1]:9000/a.png",
    ],
)
def test_allowed_references(reference: str) -> None:
    assert check(reference) is None


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "card.png",
        "ftp://cards.example.org/a.png",
        "file:///etc/passwd",
        "s3://oomus-cards",
        "s3://oomus-cards/",
        "s3://oomus-cards/a\n.png",
        "s3:///a.png",
        "https://",
        "https:///a.png",
        "https://cards.example.org:0/a.png",
        "https://cards.example.org:99999/a.png",
        "https://cards.example.org:port/a.png",
        "https://user@cards.example.org/a.png",
        "https://cards.example.org@169.254.169.254/",
        "https://cards.example.org\\@evil.example/a.png",
        "https://cards.example.org/a b.png",
        "https://cards.example.org/a.png\n",
        "https://cards..example.org/a.png",
        "https://cards.example.org/{card_code}.png",
        "http://cards.example.org/a.png",
        "http://evil.example/a.png",
        LONG,
    ],
)
def test_malformed_references(reference: str) -> None:
    assert check(reference) == "card_url_invalid"


@pytest.mark.parametrize(
    "reference",
    [
        "s3://another-bucket/pnv-sn/a.png",
        "https://evil.example/a.png",
        "https://cards.example.org.evil.example/a.png",
        "https://evil.example/https://cards.example.org/a.png",
        "https://evil.example#cards.example.org",
        "https://cards.example.org:8443/a.png",
        "https://files.example.org/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/a.png",
        "https://[::1]/a.png",
    ],
)
def test_references_from_hosts_that_are_not_allowed(reference: str) -> None:
    assert check(reference) == "card_host_not_allowed"


@pytest.mark.parametrize(
    "key",
    [
        "a.png",
        "pnv-ci/a.png",
        "pnv-sn",
        "pnv-sn-2/a.png",
        "pnv-s/a.png",
        "PNV-SN/a.png",
        "/pnv-sn/a.png",
        "./pnv-sn/a.png",
        "pnv-sn/",
        "pnv-sn//a.png",
        "pnv-sn//pnv-ci/a.png",
        "pnv-sn/./a.png",
        "pnv-sn/../pnv-ci/a.png",
        "pnv-sn/..",
        "pnv-sn/a/../../pnv-ci/a.png",
        "pnv-sn/..\\pnv-ci/a.png",
        "pnv-sn/%2e%2e/pnv-ci/a.png",
        "pnv-sn/%2E./pnv-ci/a.png",
        "pnv-sn/..%2fpnv-ci/a.png",
        "pnv-sn/%252e%252e%252fpnv-ci/a.png",
        "pnv-sn%2fa.png",
        "%70nv-sn/a.png",
        "pnv-sn／a.png",
    ],
)
def test_a_key_outside_the_organisations_own_folder(key: str) -> None:
    assert check(f"s3://oomus-cards/{key}") == "card_host_not_allowed"


def test_a_file_name_may_have_dots_and_per_cent_signs() -> None:
    for key in ("..a.png", "a..png", "a./b.png", "100%.png", "%41.png", "vague...png"):
        assert check(f"s3://oomus-cards/pnv-sn/{key}") is None


@pytest.mark.parametrize("organisation", ["", "pnv-ci", "pnv", "pnv-sn/vaccination", "."])
def test_the_folder_is_the_callers_own(organisation: str) -> None:
    expected = None if organisation == "pnv-sn/vaccination" else "card_host_not_allowed"
    assert check("s3://oomus-cards/pnv-sn/vaccination/a.png", organisation=organisation) == expected


BUCKET_HOSTS = (
    "oomus-cards.s3.amazonaws.com",
    "oomus-cards.s3.eu-west-1.amazonaws.com",
    "oomus-cards.s3-eu-west-1.amazonaws.com",
    "oomus-cards.s3.dualstack.eu-west-1.amazonaws.com",
    "oomus-cards.s3-accelerate.amazonaws.com",
)


@pytest.mark.parametrize("host", BUCKET_HOSTS)
def test_a_bucket_keeps_its_folders_under_its_https_address(host: str) -> None:
    hosts = parse_hosts(host)
    assert check(f"https://{host}/pnv-sn/a.png?X-Amz-Signature=0", hosts) is None
    for path in ("pnv-ci/a.png", "pnv-sn/../pnv-ci/a.png", "pnv-sn/%2e%2e/pnv-ci/a.png", "%70nv-ci/a.png", ""):
        assert check(f"https://{host}/{path}", hosts) == "card_host_not_allowed"


def test_a_bucket_in_the_path_of_an_https_address() -> None:
    hosts = parse_hosts("s3.eu-west-1.amazonaws.com")
    at = "https://s3.eu-west-1.amazonaws.com"
    assert check(f"{at}/oomus-cards/pnv-sn/a.png", hosts) is None
    assert check(f"{at}/oomus-cards/pnv-ci/a.png", hosts) == "card_host_not_allowed"
    assert check(f"{at}/another-bucket/a.png", hosts) is None  # no card bucket: only the host counts


@given(st.text(), st.sampled_from(["pnv-sn", "pnv-sn-2", "p"]))
def test_an_organisations_key_stays_in_its_folder_in_every_decoding(rest: str, organisation: str) -> None:
    for key in (rest, f"{organisation}/{rest}", f"{organisation}/../{rest}", f"{organisation}/%2e%2e/{rest}"):
        if is_owned(key, organisation):
            for path in (key, unquote(key), unquote(unquote(key)), unquote(key).replace("\\", "/")):
                assert posixpath.normpath(f"/{path}").startswith(f"/{organisation}/")


def test_nothing_is_allowed_by_default() -> None:
    assert parse_hosts("") == ()
    assert check("https://cards.example.org/a.png", (), frozenset()) == "card_host_not_allowed"
    assert check("s3://oomus-cards/pnv-sn/a.png", (), frozenset()) == "card_host_not_allowed"


def test_entries_of_the_list() -> None:
    assert parse_hosts(" A.example ,http://[::1]:80") == (
        CardHost(name="a.example"),
        CardHost(name="::1", port=80, local=True),
    )


@pytest.mark.parametrize("entry", ["https://a.example", "a.example/x", "u@a.example", "*.a.example", "a:99999", "a:0"])
def test_a_wrong_setting_is_fatal(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        parse_hosts(f"b.example,{entry}")


@given(st.text())
def test_checking_a_reference_never_raises(reference: str) -> None:
    for text in (reference, f"https://{reference}", f"s3://oomus-cards/{reference}"):
        assert check(text) in {None, "card_url_invalid", "card_host_not_allowed"}


@pytest.mark.parametrize(
    ("reference", "authority", "target"),
    [
        ("https://cards.example.org", "cards.example.org", "/"),
        ("https://cards.example.org:443?a=1#b", "cards.example.org", "/?a=1"),
        ("http://[::1]:9000/a", "[::1]:9000", "/a"),
    ],
)
def test_the_parts_of_a_reference(reference: str, authority: str, target: str) -> None:
    card = parse(reference)
    assert isinstance(card, WebCard)
    assert (card.authority, card.target) == (authority, target)
