"""Phone numbers as people write them: digits of any script, separators, extensions. Validity isn't checked here."""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from detectors.normalize.number_kinds import calling_code

LONGEST = 200
"""Characters of a text that can hold a phone number; longer texts hold none."""
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PLUS = frozenset("+\uff0b\ufe62\u207a\u2795")
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})  # zero-width characters, text direction, variation selectors
_BETWEEN = frozenset({"Zs", "Zl", "Zp", "Pd", "Cc"})
_SEPARATORS = frozenset(" .()[]{}_~'`\u2019\u00b7\u2022\u2212\u30fc\u3002\uff0e\u2024")
# RFC 3966 and similar schemes
_ADDRESS = re.compile(r"\s*(?:tel|callto|sms|whatsapp):(?://)?(.*)", re.DOTALL | re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[\d.()-]+)", re.IGNORECASE)
_EXTENSION = re.compile(
    r"(?:;ext=|;?\s*\b(?:extension|extn|ext|anexo|ramal|interno|int|poste|durchwahl|\u0434\u043e\u0431)\b\.?|x|\#)\s*[.:=]?\s*\d{1,8}[\s)]*$"
)
_FEWEST_BEFORE_EXTENSION = 6
_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")
_RUN = re.compile(r"\+?\d[\d ().-]{4,}\d")
_SECOND = re.compile(r"[/\\,;|\n]|\b(?:o|y|e|ou|or|and|und|oder|et)\b")


class WrittenNumber(NamedTuple):
    """A phone number as it was written."""

    plus: bool
    digits: str
    """All digits, in ASCII, without those of an extension."""
    zero: int = -1
    """Position of a single zero in brackets, as in `+49 (0)151`; -1 without one."""
    extension: bool = False
    strange: str = ""
    """Why this text can't lead to a contact, such as `has letters`; empty for a plain number."""
    parts: tuple[str, ...] = ()
    """Parts that might be numbers of their own: those around a slash, a comma or an `or`."""


def written(text: str) -> WrittenNumber:
    """Return the parts of a text. Never raises."""
    if _E164.fullmatch(text):
        return WrittenNumber(plus=True, digits=text[1:])
    if len(text) > LONGEST:
        return WrittenNumber(plus=False, digits="", strange="is too long for a phone number")
    plain, odd = _plain(text)
    rest, extension = _without_extension(plain)
    parts = tuple(part for part in _SECOND.split(rest) if _digits(part))
    strange = odd or _strange(rest)
    if strange:
        parts = (*parts, *_RUN.findall(rest))
    before, plus, after = _around_plus(rest)
    lead, digits = _digits(before), _digits(after)
    if lead.strip("0") and lead.lstrip("0") != calling_code(digits):
        # This is neither a country code written twice, as in `57 +57 300 …`, nor leading zeros.
        return WrittenNumber(
            plus=False, digits=lead + digits, extension=extension, strange="has a + inside", parts=parts
        )
    found = _ZERO.search(after)
    zero = len(_digits(after[: found.start()])) if found else -1
    return WrittenNumber(bool(plus), digits, zero, extension, strange, parts if len(parts) > 1 or strange else ())


def _around_plus(plain: str) -> tuple[str, str, str]:
    """Return the parts around the last plus sign. One at the end, as left by right-to-left text, counts as in front."""
    before, plus, after = plain.rpartition("+")
    return (before, plus, after) if _digits(after) or "+" in before else ("", plus, before)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _plain(text: str) -> tuple[str, str]:
    """Return the text with ASCII digits, `+`, plain separators and lower-case letters, and its irregularity."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text)
    found = _ADDRESS.fullmatch(text)
    if found:
        text = found[1]
    context = _CONTEXT.search(text)
    if context:
        text = text.replace(context[0], "")
        text = text if "+" in text else context[1] + text
    text = re.sub(r";(?!ext=)[a-z-]+(?:=[^;]*)?", "", text, flags=re.IGNORECASE) if found else text
    characters = list(_characters(text))
    odd = "holds characters that are no digits" if None in characters else ""
    return "".join(character or " " for character in characters), odd


def _characters(text: str) -> Iterator[str | None]:
    for character in text:
        if character.isascii():
            yield character.lower() if character.isprintable() or character == "\n" else " "
            continue
        category = unicodedata.category(character)
        if category == "Nd":
            yield str(unicodedata.decimal(character))
        elif character in _PLUS:
            yield "+"
        elif category in _INVISIBLE:
            yield ""
        elif category in _BETWEEN or character in _SEPARATORS:
            yield " "
        elif category in {"No", "Nl"}:  # superscripts, fractions: their digits would be a guess
            yield None
        else:
            yield unicodedata.normalize("NFKC", character).lower()


def _without_extension(plain: str) -> tuple[str, bool]:
    found = _EXTENSION.search(plain)
    if found and len(_digits(plain[: found.start()])) >= _FEWEST_BEFORE_EXTENSION:
        return plain[: found.start()], True
    return plain, False


def _strange(plain: str) -> str:
    for character in plain:
        if character.isdigit() or character in "+-/" or character in _SEPARATORS or character == "\n":
            continue
        if character.isalpha():
            return "has letters"
        return f"has {character!r} in it" if character.isprintable() else "holds characters that are no digits"
    return ""
