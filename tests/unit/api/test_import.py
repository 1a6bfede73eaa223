"""Every imported module adds to a cold start."""

import subprocess
import sys

LATE = (
    "fastjsonschema",
    "shared.api.texts.texts_fr",
    "shared.api.texts.facts_fr",
    "shared.api.texts.texts_en",
    "shared.api.texts.facts_en",
    "shared.api.page",
)
PROGRAM = """
import sys
import shared.api.cursor, shared.api.request, shared.api.router, shared.api.validation
from shared.api import openapi
assert openapi.document.cache_info().currsize == 0
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_the_package_brings_neither_texts_nor_document_nor_the_schema_compiler() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *LATE], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
