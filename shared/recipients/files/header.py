"""Column titles as people write them, in French and English → the fields of a recipient.

A field's own name wins over every other title, and a clear title over a vague one. Otherwise two columns that would
fill the same field are refused: the file does not say which one is meant.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.campaigns.distribution import Column
from shared.recipients.files.unreadable import UnreadableFileError
from shared.recipients.recipient import FIELDS
from shared.texts.content import carriable, unaccented

MOST_SKIPPED = 5
"""This many lines are allowed above the titles (api.md, CSV)."""

MOST_COLUMNS = 100
"""At most this many columns are reported. The list is stored with the distribution."""

_LONGEST_TITLE = 80

_MANY_DIGITS = re.compile(r"(?:\d\D{0,3}){6}")
"""A title does not have so many digits. They may be a person's number."""

_TITLES: Mapping[str, Sequence[str]] = {
    "phone": (
        *("telephone", "telephones", "tel", "mobile", "mobiles", "portable", "gsm", "msisdn", "cell", "cellphone"),
        *("cellulaire", "phone number", "phone no", "mobile number", "mobile no", "mobile phone"),
        *("cell phone", "cell number", "telephone number", "numero de telephone", "n telephone"),
        *("numero telephone", "no telephone", "no de telephone", "n de telephone", "num telephone", "num tel"),
        *("numero tel", "n tel", "no tel", "tel mobile", "telephone mobile", "telephone portable", "tel portable"),
        *("numero mobile", "numero de mobile", "numero portable", "numero de portable", "n mobile"),
        *("numero de tel", "contact telephonique", "telephone du beneficiaire"),
    ),
    "first_name": (
        *("prenom", "prenoms", "prenom s", "firstname", "given name", "given names", "first names", "forename"),
        *("forenames", "prenom du beneficiaire", "prenoms du beneficiaire"),
    ),
    "last_name": ("nom", "noms", "nom s", "nom de famille", "lastname", "surname", "family name", "last names"),
    "card_code": (
        *("card", "carte", "code carte", "code de la carte", "code de carte", "n carte", "no carte", "numero carte"),
        *("numero de carte", "numero de la carte", "n de carte", "n de la carte", "no de carte", "num carte"),
        *("card no", "card number", "card id", "id carte"),
    ),
    "programme_name": ("programme", "program", "program name", "nom du programme", "nom programme"),
    "issue_date": (
        *("date d emission", "date emission", "date of issue", "issued", "issued on", "date issued"),
        *("date de delivrance", "date delivrance", "delivre le", "delivree le", "emise le", "date d etablissement"),
    ),
    "verification_url": (
        *("verification", "verification link", "url de verification", "lien de verification", "lien verification"),
        *("url verification",),
    ),
    "card_image": ("image carte", "image de la carte", "image de carte", "card picture", "photo de la carte"),
    "card_generated_at": ("generated at", "card generated", "carte generee le", "date de generation", "generee le"),
    "enrollment_id": (
        *("enrollment", "enrolment", "enrolment id", "id inscription", "identifiant inscription"),
        *("identifiant d inscription", "id d inscription", "n inscription", "numero d inscription", "enrolement"),
        *("id enrolement",),
    ),
    "language": ("langue", "lang", "preferred language", "langue preferee"),
    "consent": (
        *("consentement", "consented", "consent given", "consentement donne", "consent whatsapp"),
        *("consentement whatsapp",),
    ),
}
"""Titles in addition to a field's own name, as `plain_title` gives them."""

_VAGUE: Mapping[str, Sequence[str]] = {
    "phone": (
        *("numero", "numeros", "number", "contact", "contacts", "whatsapp", "numero whatsapp", "whatsapp number"),
        *("telephone whatsapp",),
    )
}
"""Used only if no clearer title is there: "Numéro" may number the rows, "WhatsApp" may say who has WhatsApp."""


def _ranked() -> dict[str, tuple[str, int]]:
    own = {name.replace("_", " "): (name, 0) for name in FIELDS}
    clear = {title: (name, 1) for name, titles in _TITLES.items() for title in titles}
    vague = {title: (name, 2) for name, titles in _VAGUE.items() for title in titles}
    return vague | clear | own


_RANKED = _ranked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The line of titles. `names`: the field of each column; None: the column is not read."""

    titles: tuple[str, ...]
    names: tuple[str | None, ...]
    record: int
    """Its place among the first lines, from 0. So it is also the number of lines above it."""

    @property
    def known(self) -> int:
        """How many fields have a column."""
        return sum(name is not None for name in self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The titles of the columns that are not read."""
        pairs = zip(self.titles, self.names, strict=True)
        return tuple(title for title, name in pairs if name is None and title)


def plain_title(title: str) -> str:
    """ "N° de\nTéléphone :" → "n de telephone"."""
    kept = "".join(one if one.isalnum() else " " for one in unaccented(carriable(title)))
    return " ".join(kept.split())


def find_header(records: Sequence[Sequence[str]]) -> Header | None:
    """The line with the most known titles, one of them for the phone. None: no line has such a title. Raises
    UnreadableFileError `column_twice`."""
    known = [len(fields) if "phone" in fields else 0 for fields in map(_fields, records)]
    if not any(known):
        return None
    best = known.index(max(known))
    return Header(titles=_titles(records[best]), names=_names(records[best]), record=best)


def without_header(records: Sequence[Sequence[str]], lines: Sequence[int]) -> UnreadableFileError:
    """Why none of these lines can be the titles: none has a known title, or no title is for the phone. `lines`: their
    numbers in the file."""
    if not records:
        return UnreadableFileError("file_empty")
    best = max(range(len(records)), key=lambda place: (len(_fields(records[place])), _filled(records[place]), -place))
    if not _fields(records[best]):  # perhaps the line of a person: its cells are not repeated
        if _has_number(records[best]):
            return UnreadableFileError("header_missing", line=lines[best])
        return UnreadableFileError("phone_column_missing", field="phone", line=lines[best])
    found = ", ".join(title for title in _titles(records[best]) if title)
    return UnreadableFileError("phone_column_missing", field="phone", line=lines[best], columns=found)


def columns_of(header: Header) -> tuple[Column, ...]:
    """How each column was read, up to the last column with a title."""
    last = max(place for place, title in enumerate(header.titles) if title)
    both = zip(header.titles, header.names, strict=True)
    return tuple(
        Column(header=title, field=name) for title, name in itertools.islice(both, min(last + 1, MOST_COLUMNS))
    )


def _filled(cells: Iterable[str]) -> int:
    return sum(1 for cell in cells if cell.strip())


def _fields(cells: Iterable[str]) -> set[str]:
    """The fields that have a title among these."""
    return {_RANKED[title][0] for title in map(plain_title, cells) if title in _RANKED}


def _names(cells: Sequence[str]) -> tuple[str | None, ...]:
    by_field: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, title in enumerate(map(plain_title, cells)):
        if title in _RANKED:
            name, rank = _RANKED[title]
            by_field[name].append((rank, place))
    names: list[str | None] = [None] * len(cells)
    for name, found in by_field.items():
        best = min(rank for rank, _ in found)
        places = [place for rank, place in found if rank == best]
        if len(places) > 1:
            both = ", ".join(_shown(cells[place]) for place in places)
            raise UnreadableFileError("column_twice", field=name, columns=both)
        names[places[0]] = name
    return tuple(names)


def _titles(cells: Sequence[str]) -> tuple[str, ...]:
    """The titles as they are shown and stored. A line with a number in it may be a person's: of such a line only known
    titles are shown."""
    hidden = _has_number(cells)
    return tuple(
        _shown(cell) if not hidden or plain_title(cell) in _RANKED or not cell.strip() else "…" for cell in cells
    )


def _has_number(cells: Iterable[str]) -> bool:
    return any(_MANY_DIGITS.search(carriable(cell)) for cell in cells)


def _shown(title: str) -> str:
    return " ".join(carriable(title).split())[:_LONGEST_TITLE]
