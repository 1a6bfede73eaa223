import pytest

from shared.api.request import preferred_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("FR-sn", "fr"),
        ("en", "en"),
        ("fr, en", "fr"),
        ("en, fr", "en"),
        ("en;q=0.8, fr;q=0.9", "fr"),
        ("fr;q=0.8,en;q=0.9", "en"),
        ("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", "fr"),
        ("de, fr;q=0.5", "fr"),
        ("de", "en"),
        ("*", "en"),
        ("de, *;q=0.5", "en"),
        ("fr;q=0", "en"),
        ("fr;q=0, *", "en"),
        ("en;q=0, *", "fr"),
        ("fr;q=0.1, *;q=0.5", "en"),
        ("fr ; q=0.9 , en ; q=0.1", "fr"),
        ("fr;q=2", "en"),
        ("fr;q=nan", "en"),
        (",;,q=1;;", "en"),
        ("frisian", "en"),
    ],
)
def test_language(header: str, language: str) -> None:
    assert preferred_language(header) == language
