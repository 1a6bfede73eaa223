"""The look at a card before it is uploaded: processor time of the sender's event loop.

    python -m bench.picture

The cards are as large as those that programmes print: 2048 × 1300, a photograph on a plain ground. While one is looked
at, every other message of the batch waits.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Mapping

from PIL import Image

from shared.cards.picture import kind

SIZE = (2048, 1300)
PHOTOGRAPH = (500, 600)
ROUNDS = 50


def card(form: str) -> bytes:
    """PNG or JPEG; the photograph is noise, which compresses as badly."""
    picture = Image.new("RGB", SIZE, (250, 252, 251))
    picture.paste(Image.effect_noise(PHOTOGRAPH, 20).convert("RGB"), (40, 100))
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def measure() -> Mapping[str, Mapping[str, float]]:
    """By form: bytes of the card, and the median of the milliseconds."""
    return {form: _looked_at(card(form)) for form in ("PNG", "JPEG")}


def _looked_at(content: bytes) -> dict[str, float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        kind(content)
        taken.append(time.process_time() - began)
    return {"bytes": len(content), "cpu_ms": round(statistics.median(taken) * 1000, 3)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
