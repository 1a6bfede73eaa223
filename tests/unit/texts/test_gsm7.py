import pytest

from shared.texts import sms


@pytest.mark.parametrize("character", "àéèùäöüñòìÉÇÄÖÜæÆ£§¿¡@$ØøÅåß¤\n\r ΔΦΓΛΩΠΨΣΘΞ_")
def test_one_septet(character: str) -> None:
    assert sms.septets(character) == 1


@pytest.mark.parametrize("character", "€^{}[]~\\|\f")
def test_two_septets(character: str) -> None:
    assert sms.septets(character) == 2


@pytest.mark.parametrize("character", "çâêëîïôûÿœŒÀÂÈÊËÎÏÔÙÛŸ’‘“”«»–—…°`\u00a0\u202f\u2011\tم😀\x1b\x00")
def test_outside(character: str) -> None:
    assert sms.septets(f"a{character}") is None


def test_the_tables_are_complete() -> None:
    assert len(sms.DEFAULT) == 127  # the 128th is the escape
    assert len(sms.EXTENSION) == 10
    assert not sms.DEFAULT & sms.EXTENSION
    assert sms.septets("") == 0
