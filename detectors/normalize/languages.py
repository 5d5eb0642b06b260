"""Languages: from `es`, `pt_br`, `spa`, `Español` or an Accept-Language list to a BCP 47 tag."""

import gettext
import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from detectors.normalize.countries import country as read_country
from detectors.normalize.text import decode_entities, fold

_NO_LANGUAGE = frozenset({"x", "und", "mul", "mis", "zxx"})
"""Prefixes of valid tags that name no language: private, undetermined, several, uncoded, none (BCP 47, ISO 639)."""
_TRANSLATIONS = ("es", "pt", "pt_BR", "fr")
_ENCODING = re.compile(r"[.@][\w-]*$")  # es_CO.UTF-8, ca_ES@valencia
_QUALITY = re.compile(r"q\s*=\s*(\d(?:\.\d{0,3})?)")
_PLACE = re.compile(r"(.+?)\s*[(\[]\s*(.+?)\s*[)\]]")  # Español (Colombia)
_CODE = 2  # letters of a country code and of a two-letter language code
_ALPHA_3 = 3
_ALIASES = {
    "castellano": "es", "castilian": "es", "castelhano": "es", "castillan": "es", "mandarin": "zh",
    "mandarin chinese": "zh", "chino mandarin": "zh", "chino simplificado": "zh-Hans", "simplified chinese": "zh-Hans",
    "chino tradicional": "zh-Hant", "traditional chinese": "zh-Hant", "greek": "el", "griego": "el", "grego": "el",
    "grec": "el", "brazilian portuguese": "pt-BR", "portugues brasileiro": "pt-BR", "portugues de brasil": "pt-BR",
    "portugues do brasil": "pt-BR", "latin american spanish": "es-419", "espanol latinoamericano": "es-419",
    "american english": "en-US", "british english": "en-GB", "ingles americano": "en-US", "farsi": "fa",
    "persa": "fa", "persan": "fa", "persian": "fa", "haitian creole": "ht", "creole haitien": "ht",
    "criollo haitiano": "ht", "valenciano": "ca", "deutsch": "de", "italiano": "it", "nederlands": "nl",
}  # fmt: skip


@lru_cache(maxsize=4096)
def language(text: str, country: str | None = None) -> str | None:
    """Return the BCP 47 tag of a language's name or code; None if it names none.

    An Accept-Language list gives its preferred tag. `country` is the customer's (ISO 3166-1 alpha-2). A text that is
    that country's code isn't a language (`br` in Brazil isn't Breton), unless the language is spoken there.
    """
    text = _preferred(decode_entities(text)).strip()
    tag = _tag(_ENCODING.sub("", text)) or _named(text)
    return None if tag is None or _is_a_country(text, tag, country) else tag


def _preferred(text: str) -> str:
    if "," not in text and ";" not in text:
        return text
    choices = [choice.partition(";") for choice in text.split(",")]
    weights = [(_QUALITY.fullmatch(quality.strip()), tag.strip()) for tag, _, quality in choices]
    tags = [(float(weight[1]) if weight else 1.0, tag) for weight, tag in weights if tag and tag != "*"]
    return max(tags, key=lambda one: one[0], default=(0.0, ""))[1]


def _tag(text: str) -> str | None:
    import langcodes

    written = text.replace("_", "-").replace(" ", "")
    head, _, place = written.partition("-")
    if len(place) == _ALPHA_3 and place.isalpha():  # spa-COL
        written = f"{head}-{read_country(place) or place}"
    try:
        tag = langcodes.standardize_tag(written)
    except ValueError:
        return None
    return tag if langcodes.tag_is_valid(tag) and tag.partition("-")[0] not in _NO_LANGUAGE else None


def _named(text: str) -> str | None:
    place = _PLACE.fullmatch(text)
    if place:
        tag = _names().get(fold(place[1]))
        found = read_country(place[2])
        return f"{tag}-{found}" if tag and found and "-" not in tag else tag
    return _names().get(fold(text))


def _is_a_country(text: str, tag: str, customers: str | None) -> bool:
    code = tag.partition("-")[0]
    if len(code) != _CODE:
        return False
    homes = {customers, read_country(text) if len(text) == _CODE and text.isupper() else None} - {None}
    return any(
        (code.upper() == home or (len(text) == _CODE and read_country(text) == home)) and not _spoken(code, home)
        for home in homes
        if home and not (customers and _spoken(code, customers))
    )


def _spoken(code: str, country: str) -> bool:
    """Whether a language is the usual one of a country, or the country is where most of its speakers live (CLDR)."""
    import langcodes

    usual = langcodes.Language.make(territory=country).maximize().language
    return usual == code or langcodes.Language.make(language=code).maximize().territory == country


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, code in _all_names():
        found.setdefault(name, code)
    return {**found, **_ALIASES}


def _all_names() -> Iterator[tuple[str, str]]:
    import pycountry

    translations = [
        gettext.translation("iso639-3", pycountry.LOCALES_DIR, [locale], fallback=True) for locale in _TRANSLATIONS
    ]
    # Don't use pycountry's objects: they keep 7,900 languages in memory, and only 184 have a two-letter code.
    database = files("pycountry") / "databases" / "iso639-3.json"
    for row in json.loads(database.read_text(encoding="utf-8"))["639-3"]:
        code, name = row.get("alpha_2"), row["name"]
        if code is None:
            continue
        for written in (name, *(translation.gettext(name) for translation in translations)):
            for each in written.split(";"):
                yield fold(each.partition("(")[0]), code
