"""Countries: from `co`, `COL`, `Colombia`, `EE.UU.`, `Brésil` or a dialling code to ISO 3166-1 alpha-2."""

import gettext
import re
from collections.abc import Iterator
from functools import cache, lru_cache

import phonenumbers

from detectors.normalize.country_names import ALIASES, UNCLEAR
from detectors.normalize.text import decode_entities, fold

_LANGUAGES = ("es", "pt", "pt_BR", "fr")
_DIALLING_CODE = re.compile(r"(?:\+|00)?([1-9][0-9]{0,2})")
_SHARED = frozenset({1, 7})
"""Dialling codes of several independent countries. Other shared codes belong to a country and its territories."""
_ARTICLE = re.compile(r"(?:the|el|la|los|las|o|a|os|as|le|les|l) (?=\S)")
_BETWEEN_NAMES = re.compile(r"[()\[\],;/|]|\s[-\u2013]\s")
_FLAG = {0x1F1E6 + place: chr(ord("A") + place) for place in range(26)}


@lru_cache(maxsize=1024)
def country(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country's name or code; None if it names none or several.

    A number is a dialling code (57, +57, 0057), never an ISO number: 591 is Bolivia, not Panama. A code that
    independent countries share (+1, +7) names none of them.
    """
    text = decode_entities(text).translate(_FLAG).strip()
    code = dialling_code(text)
    if code is not None:
        return _country_of_code(int(code))
    return _named(text) or _several(text)


def dialling_code(text: str) -> str | None:
    """Return the digits of an international dialling code, such as 57, +57 or 0057; None for any other text."""
    found = _DIALLING_CODE.fullmatch("".join(text.split()).strip("()"))
    return found[1] if found and int(found[1]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE else None


def _country_of_code(code: int) -> str | None:
    import pycountry

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if not regions or code in _SHARED or pycountry.countries.get(alpha_2=regions[0]) is None:
        return None
    return str(regions[0])


def _named(text: str) -> str | None:
    name = _joined(fold(text)) if "." in text else fold(text)
    if not name or name in UNCLEAR:
        return None
    names = _names()
    return names.get(name) or names.get(_ARTICLE.sub("", name, count=1))


def _several(text: str) -> str | None:
    """Return the country of `Colombia (CO)` or `CO / +57`: every part has to name the same one."""
    parts = [part for part in _BETWEEN_NAMES.split(text) if part.strip()]
    if len(parts) == 1 and "+" in text:
        parts = [part for part in re.split(r"\s+(?=\+)", text) if part.strip()]
    if not 1 < len(parts) <= 3:  # noqa: PLR2004 - a name, its code and its dialling code
        return None
    codes = {dialling_code(part.strip()) for part in parts} - {None}
    read = {_named(part) for part in parts if dialling_code(part.strip()) is None}
    if len(read) != 1 or None in read:
        return None
    (only,) = read
    regions = {region for code in codes for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code or 0)]}
    return only if not codes or only in regions else None


def _joined(name: str) -> str:
    """Return `e e u u` and `u s a` without spaces, like codes."""
    words = name.split()
    return "".join(words) if len(words) > 1 and all(len(word) == 1 for word in words) else name


@cache
def _names() -> dict[str, str]:
    import pycountry

    found: dict[str, str] = {}
    unclear: set[str] = set()
    for name, code in _official_names():
        if found.setdefault(name, code) != code:
            unclear.add(name)
    for name in unclear:
        del found[name]
    return {**found, **ALIASES, **{c.alpha_2.lower(): c.alpha_2 for c in pycountry.countries}}


def _official_names() -> Iterator[tuple[str, str]]:
    import pycountry

    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True) for language in _LANGUAGES
    ]
    for country_ in pycountry.countries:
        yield country_.alpha_3.lower(), country_.alpha_2
        names = (getattr(country_, attribute, None) for attribute in ("name", "official_name", "common_name"))
        for name in filter(None, names):
            for written in (name, *(translation.gettext(name) for translation in translations)):
                yield from ((spelled, country_.alpha_2) for spelled in _spelled(written))


def _spelled(name: str) -> Iterator[str]:
    yield fold(name)
    # `Bolivia, Plurinational State of`: the first part, unless another country shares it.
    if "," in name:
        head, _, rest = name.partition(",")
        yield fold(head)
        yield fold(f"{rest} {head}")
