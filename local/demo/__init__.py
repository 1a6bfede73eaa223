"""`make demo`: sends the sample campaigns through the local stack, shows their progress and checks the result."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console

from local.clock import StackClock
from local.demo.api import Api, ApiError, Distribution
from local.demo.check import Finding, outcomes, rejections, totals
from local.demo.screen import Screen
from local.logs import logging_to
from local.processes import PROJECT_ROOT, ChildFailedError
from local.sample.expected import Campaign
from local.sample.register import SENDERS, sms_campaign
from local.sample.tracker import MAPPING, whatsapp_campaign
from local.settings import Settings
from local.stack import Stack

MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""At this hour none of the nine countries has quiet hours, so the demo works at any hour of the day."""
PATIENCE = 300.0
"""Seconds. Rows that have not reached their end by then count as lost."""
LOG = PROJECT_ROOT / ".local" / "demo.log"

WHATSAPP = {
    "access_token": "demo-access-token",
    "phone_number_id": "106540352242922",
    "sender_number": "+221770009999",
    "app_secret": "demo-app-secret",
    "default_template": "vaccination_card",
}
SMS = {
    "client_id": "demo-client",
    "client_secret": "demo-client-secret",
    "sender_name": "SANTE-SN",
    "default_country": "SN",
    "senders": SENDERS,
    "unit_prices": {
        **{country: {"amount": "12", "currency": "XOF"} for country in ("SN", "CI", "ML", "BF")},
        "GN": {"amount": "150", "currency": "GNF"},
        "CM": {"amount": "16", "currency": "XAF"},
        "MG": {"amount": "90", "currency": "MGA"},
        "TN": {"amount": "0.080", "currency": "TND"},
        "EG": {"amount": "0.60", "currency": "EGP"},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A campaign and its distribution."""

    campaign: Campaign
    distribution_id: str


def main(argv: Sequence[str]) -> int:
    """Return 0 if every message got the status that its number asks for."""
    argparse.ArgumentParser(prog="python -m local demo", description=__doc__).parse_args(argv)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    clock = StackClock(MORNING)
    with LOG.open("w", encoding="utf-8") as log, logging_to(log, clock) as terminal:
        screen = Screen(Console(file=terminal))
        try:
            return _play(screen, log, clock)
        except (ApiError, ChildFailedError) as error:
            screen.problem(str(error))
            print(f"The log is in {LOG}", file=sys.stderr)
            return 1


def _play(screen: Screen, log: TextIO, clock: StackClock) -> int:
    began = time.monotonic()
    screen.say("Deploying template.yaml on moto …")
    with Stack(Settings(port=0), log, clock) as stack:
        screen.say(f"The stack answers at {stack.base_url}; its clock says {MORNING:%Y-%m-%d %H:%M} UTC.")
        cards = f"{stack.simulators_url}/cards"
        with Api(stack.base_url, stack.token(), f"{stack.simulators_url}") as api:
            api.put("/v1/integrations/whatsapp", WHATSAPP)
            api.put("/v1/integrations/sms", SMS)
            api.put("/v1/integrations/dhis2", MAPPING)
            running = [planned(api, screen, campaign) for campaign in (whatsapp_campaign(cards), sms_campaign())]
            for one in running:
                api.act(one.distribution_id, "confirm")
            findings = followed(api, screen, running)
            show(api, screen, running)
    screen.conclusion(findings, time.monotonic() - began)
    return 1 if findings else 0


def planned(api: Api, screen: Screen, campaign: Campaign, patience: float = PATIENCE) -> Running:
    """Upload the file and wait for its plan. Raises ApiError if the distribution does not become `planned`."""
    upload_id = api.upload(campaign.form, campaign.upload)
    identity = api.distribute(campaign, upload_id)
    give_up = time.monotonic() + patience
    plan = api.distribution(identity)
    while plan.status == "planning" and time.monotonic() < give_up:
        time.sleep(0.2)
        plan = api.distribution(identity)
    if plan.status != "planned":
        raise ApiError(f"the {campaign.channel} campaign is {plan.status} ({plan.status_reason}), not planned")
    screen.plan(plan)
    return Running(campaign=campaign, distribution_id=identity)


def followed(api: Api, screen: Screen, running: Sequence[Running], patience: float = PATIENCE) -> list[Finding]:
    """Wait, with progress bars, until everything is as expected or `patience` (seconds) ends.

    Returns what still differs.
    """
    give_up = time.monotonic() + patience
    with screen.progress([one.campaign for one in running]) as bars:
        while True:
            found = [api.distribution(one.distribution_id) for one in running]
            for one, distribution in zip(running, found, strict=True):
                bars.show(one.campaign, distribution)
            findings = [each for pair in zip(running, found, strict=True) for each in totals(pair[0].campaign, pair[1])]
            over = time.monotonic() > give_up
            if over or not findings:
                findings += [each for one in running for each in _rows(api, one)]
            if over or not findings:
                return findings + api.misdeliveries([one.campaign for one in running])
            time.sleep(0.5)


def _rows(api: Api, one: Running) -> list[Finding]:
    errors = api.errors(one.distribution_id)
    return rejections(one.campaign, errors) + outcomes(one.campaign, api.messages(one.distribution_id))


def show(api: Api, screen: Screen, running: Sequence[Running]) -> None:
    distributions: list[Distribution] = []
    for one in running:
        screen.log(one.campaign, api.messages(one.distribution_id))
        distributions.append(api.distribution(one.distribution_id))
    for one in running:
        screen.rejected(one.campaign, api.errors(one.distribution_id))
    screen.totals(distributions)
