"""The 24-hour session that a person's own message opens: inside it WhatsApp takes free text."""

from datetime import datetime, timedelta

LENGTH = timedelta(hours=24)
"""Meta's customer service window (reference/whatsapp.md, section 5.4)."""


def session_until(written_at: datetime, heard_at: datetime) -> datetime | None:
    """Until when a message keeps the session open, that instant excluded; None if that is over when it is heard of.

    A message stamped later than it was heard of counts from then: no clock of Meta's makes a session longer. One that
    was delivered again days later opens nothing.
    """
    until = min(written_at, heard_at) + LENGTH
    return until if heard_at < until else None
