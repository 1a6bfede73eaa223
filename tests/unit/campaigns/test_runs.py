"""The run of a row."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.campaigns.distribution import MOST_RUNS
from shared.campaigns.runs import RunKind, card_host, fitting_kind, kind_of
from shared.messages.payload import Mode, Payload, TemplateCall

SMS = Payload(to="+221770000001", country="SN", mode=Mode.SMS, text="Bonjour")
TEMPLATE = dataclasses.replace(
    SMS,
    mode=Mode.TEMPLATE,
    template=TemplateCall(name="card", language="fr", parameters=()),
    card_image="https://Cards.example.org/a.png",
)
SESSION = dataclasses.replace(TEMPLATE, mode=Mode.SESSION, template=None, fallback_template=TEMPLATE.template)


def test_rows_that_one_cause_can_hold_share_a_run() -> None:
    assert kind_of(SMS) == RunKind(country="SN")
    assert kind_of(TEMPLATE) == RunKind(country="SN", template="card/fr", card_host="cards.example.org")


def test_a_paused_template_does_not_hold_texts_of_open_sessions() -> None:
    assert kind_of(SESSION).template is None


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        (None, None),
        ("no reference", None),
        ("https://cards.example.org/a.png", "cards.example.org"),
        ("https://CARDS.example.org:443/a.png", "cards.example.org"),
        ("https://cards.example.org:8443/a.png", "cards.example.org:8443"),
        ("s3://cards/demo/a.png", "s3://cards"),
    ],
)
def test_the_host_of_a_card(reference: str | None, host: str | None) -> None:
    assert card_host(reference) == host


@given(
    st.lists(st.tuples(st.sampled_from(["SN", "CI", "FR", *map(str, range(80))]), st.integers(0, 100)), max_size=300)
)
def test_there_are_never_too_many_runs_and_a_row_keeps_its_country_while_there_is_room(
    rows: list[tuple[str, int]],
) -> None:
    kinds: set[RunKind] = set()
    for country, host in rows:
        wished = RunKind(country=country, card_host=f"h{host}.example.org")
        kind = fitting_kind(wished, kinds)
        has_space = len(kinds) < MOST_RUNS - 1
        kinds.add(kind)
        assert len(kinds) <= MOST_RUNS
        assert kind.country in (country, "")
        assert kind.country == country or not has_space
        assert kind.card_host in (wished.card_host, None)
