import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.card_reference import CardHost, WebCard, check, parse, parse_buckets, parse_hosts

HOSTS = parse_hosts("cards.example.org, files.example.org:8443,http://127.0.0.1,http://[::1]:9000")
BUCKETS = parse_buckets("oomus-cards, other-cards")
LONG = "https://cards.example.org/" + "a" * 2048


@pytest.mark.parametrize(
    "reference",
    [
        "s3://oomus-cards/vaccination/OM-0001.png",
        "s3://other-cards/a b/é.png",
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
def test_taken(reference: str) -> None:
    assert check(reference, HOSTS, BUCKETS) is None


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
def test_no_reference(reference: str) -> None:
    assert check(reference, HOSTS, BUCKETS) == "card_url_invalid"


@pytest.mark.parametrize(
    "reference",
    [
        "s3://somebody-else/a.png",
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
def test_not_from_there(reference: str) -> None:
    assert check(reference, HOSTS, BUCKETS) == "card_host_not_allowed"


def test_nothing_is_allowed_by_default() -> None:
    assert parse_hosts("") == ()
    assert check("https://cards.example.org/a.png", (), frozenset()) == "card_host_not_allowed"
    assert check("s3://oomus-cards/a.png", (), frozenset()) == "card_host_not_allowed"


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
def test_never_raises(reference: str) -> None:
    for text in (reference, f"https://{reference}", f"s3://oomus-cards/{reference}"):
        assert check(text, HOSTS, BUCKETS) in {None, "card_url_invalid", "card_host_not_allowed"}


@pytest.mark.parametrize(
    ("reference", "authority", "target"),
    [
        ("https://cards.example.org", "cards.example.org", "/"),
        ("https://cards.example.org:443?a=1#b", "cards.example.org", "/?a=1"),
        ("http://[::1]:9000/a", "[::1]:9000", "/a"),
    ],
)
def test_parts(reference: str, authority: str, target: str) -> None:
    card = parse(reference)
    assert isinstance(card, WebCard)
    assert (card.authority, card.target) == (authority, target)
