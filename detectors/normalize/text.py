"""Names and other short texts."""

import html
import re
import unicodedata
from functools import lru_cache

MAX_TEXT = 256
"""Characters of a text field. Longer texts are cut, not dropped."""

_MOST_DECODINGS = 3  # `&amp;amp;eacute;`: shops escape escaped text
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,15}(?:\s[^<>]{0,200})?/?>")
_INVISIBLE = frozenset(
    "\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Marks that only set the direction of the text or a line break. They can make a text read as another."""
_JOINERS = frozenset("\u200c\u200d")
"""Parts of words in Persian and Indic scripts, and of emoji."""
_VARIATION = range(0xFE00, 0xFE10)
_SHORTEST_CUT = 0.8  # of the limit: a cut before a word can't lose more than the rest


def one_line(text: str) -> str:
    """Return a text with every run of white space and control characters as one space."""
    return " ".join("".join(_printed(char) for char in text).split())


def _printed(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return "" if char in _INVISIBLE else " "


def decode_entities(text: str) -> str:
    """Replace HTML entities, including those that were escaped twice. An `&` without a semicolon is only an `&`."""
    for _ in range(_MOST_DECODINGS):
        if "&" not in text:
            break
        decoded = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
        if decoded == text:
            break
        text = decoded
    return text


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return a text for display: without HTML, in Unicode's composed form, on one line, at most `MAX_TEXT` long."""
    text = decode_entities(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    found = one_line(unicodedata.normalize("NFC", text))
    return shorten(found) if any(char not in _JOINERS for char in found) else ""


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text of at most `limit` characters.

    It is cut after a word if one ends late enough, never within a character.
    """
    if len(text) <= limit:
        return text
    cut = limit
    while cut > 0 and _continues(text, cut):
        cut -= 1
    if not text[cut].isspace():
        word_end = text.rfind(" ", 0, cut)
        if word_end >= limit * _SHORTEST_CUT:
            cut = word_end
    return text[: cut or limit].rstrip()


def _continues(text: str, at: int) -> bool:
    """Whether the character at this place belongs to the one before it."""
    char, before = text[at], text[at - 1]
    return bool(
        unicodedata.combining(char)
        or ord(char) in _VARIATION
        or char in _JOINERS
        or before in _JOINERS
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or ("\U0001f1e6" <= char <= "\U0001f1ff" and _flags_before(text, at) % 2)
    )


def _flags_before(text: str, at: int) -> int:
    start = at
    while start and "\U0001f1e6" <= text[start - 1] <= "\U0001f1ff":
        start -= 1
    return at - start


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for tables of words."""
    return frozenset(text.split())


def fold(text: str) -> str:
    """Return a text for comparison: lower case without accents, words with one space between them."""
    plain = unicodedata.normalize("NFKD", text.replace("\u2019", "'")).casefold()
    letters = (char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in letters).split())
