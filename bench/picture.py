"""The check of a card before its upload: processor time on the sender's event loop.

    python -m bench.picture

The cards are as large as those that programmes print: 2048 × 1300, a photograph on a plain ground. During the check of
one card, all other messages of the batch wait.
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
    """Draw a PNG or JPEG. Noise replaces the photograph, because it compresses as badly."""
    picture = Image.new("RGB", SIZE, (250, 252, 251))
    picture.paste(Image.effect_noise(PHOTOGRAPH, 20).convert("RGB"), (40, 100))
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def measure() -> Mapping[str, Mapping[str, float]]:
    """By form: the bytes of the card, and the median time in milliseconds."""
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
