"""The text of a reply by Yuno's API, without potentially personal parts."""

import re
import unicodedata
from collections.abc import Mapping

from worker.logs.masking import MASK, one_line

LONGEST = 300
"""The number of characters of a reply that are shown."""
_PERSONAL = ("name", "email", "phone", "region", "address")
_ADDRESS = re.compile(r"\S+@\S+")
_QUOTED = re.compile(r"""(["'`\u2018\u201c])(.*?)(["'`\u2019\u201d])""")
_FIELD = re.compile(r"[a-z][a-z_.]*")
_DIGITS = re.compile(r"\+?\d[\d\s().-]{2,}\d")
_WORD = re.compile(r"\w+")


def masked_reply(text: str, fields: Mapping[str, str]) -> str | None:
    """Return a reply's text with the shopper's data masked, and at most `LONGEST` characters.

    Masked are e-mail addresses, numbers, and quoted values other than names of fields. Each word of the shopper's name,
    address and metadata is masked, too, in any case and with or without accents. None if the name is unknown, because
    it couldn't be masked.

    Args:
        text: The reply's text.
        fields: The fields of the session.
    """
    if not fields.get("name"):
        return None
    own = [value for name, value in fields.items() if name in _PERSONAL or name.startswith("meta.")]
    words = {_folded(word) for value in own for word in _WORD.findall(value)}
    shown = _ADDRESS.sub(MASK, one_line(text))
    shown = _QUOTED.sub(lambda found: found[0] if _FIELD.fullmatch(found[2]) else f"{found[1]}{MASK}{found[3]}", shown)
    shown = _DIGITS.sub(MASK, shown)
    shown = _WORD.sub(lambda found: MASK if _folded(found[0]) in words else found[0], shown)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
