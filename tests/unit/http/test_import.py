"""What is imported is what a cold start costs."""

import subprocess
import sys

LATE = ("fastjsonschema", "shared.http.texts_fr", "shared.http.texts_en", "shared.http.page")
PROGRAM = """
import sys
import shared.http.cursor, shared.http.docs, shared.http.idempotency, shared.http.router, shared.http.validation
from shared.http import openapi
assert openapi.document.cache_info().currsize == 0
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_the_package_brings_neither_texts_nor_document_nor_the_schema_compiler() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *LATE], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
