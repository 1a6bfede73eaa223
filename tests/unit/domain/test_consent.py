from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.consent import Consent, ConsentState, Given, objection
from shared.domain.payload import Channel

THEN = datetime(2026, 3, 1, 9, tzinfo=UTC)
GRANT = Consent(state=ConsentState.GRANTED, recorded_at=THEN, source="register")
REVOCATION = Consent(state=ConsentState.REVOKED, recorded_at=THEN, source="STOP")
MOMENT = timedelta(microseconds=1)

NOTHING = Given()
YES = Given(granted=True)
NO = Given(granted=False)
EARLIER = Given(granted=True, at=THEN - MOMENT)
SAME = Given(granted=True, at=THEN)
LATER = Given(granted=True, at=THEN + MOMENT)
LATER_NO = Given(granted=False, at=THEN + MOMENT)

MATRIX = [
    # recorded    given     WhatsApp           SMS
    (None, NOTHING, "consent_missing", None),
    (None, YES, None, None),
    (None, NO, "consent_missing", None),
    (None, EARLIER, None, None),
    (GRANT, NOTHING, None, None),
    (GRANT, YES, None, None),
    (GRANT, NO, "consent_missing", None),
    (GRANT, LATER, None, None),
    (REVOCATION, NOTHING, "opted_out", "opted_out"),
    (REVOCATION, YES, "opted_out", "opted_out"),
    (REVOCATION, NO, "opted_out", "opted_out"),
    (REVOCATION, EARLIER, "opted_out", "opted_out"),
    (REVOCATION, SAME, "opted_out", "opted_out"),
    (REVOCATION, LATER, None, None),
    (REVOCATION, LATER_NO, "opted_out", "opted_out"),
]


@pytest.mark.parametrize(("recorded", "given", "whatsapp", "sms"), MATRIX)
def test_who_may_be_written_to(recorded: Consent | None, given: Given, whatsapp: str | None, sms: str | None) -> None:
    assert objection(Channel.WHATSAPP, recorded, given) == whatsapp
    assert objection(Channel.SMS, recorded, given) == sms
