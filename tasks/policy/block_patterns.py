"""The format of block list entries, and the normal form in which they and shoppers are compared. Pure."""

import html
import re
import unicodedata
from fnmatch import translate

_FEWEST_DIGITS = 5
"""The fewest digits of a number pattern: with fewer it would name a country or a whole network."""
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")
_RANGE = re.compile(r"(\+[\d ().-]*\d)\s*(?:-|\.\.|to)\s*(\+[\d ().-]*\d)")
_NO_SEPARATORS = str.maketrans("", "", " -.()/")


def name(text: str) -> str:
    """Return a name in its form for comparison: without accents, case, HTML entities and repeated spaces."""
    plain = html.unescape(text).casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", plain).casefold())
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(plain.split())


def address(text: str) -> str:
    """Return the first e-mail address in a text, in its form for comparison; empty if there is none."""
    found = _ADDRESS.search(unicodedata.normalize("NFKC", text).casefold())
    if not found:
        return ""
    local, _, host = found[0].rpartition("@")
    return f"{local}@{_host(host)}"


def name_entry(text: str) -> str:
    """Return a name of a list.

    Raises:
        ValueError: It has fewer than two characters.
    """
    found = name(text)
    if len(found) < 2:  # noqa: PLR2004 - see above
        raise ValueError("is not a name: write it in full, like Jane Doe")
    return found


def domain_entry(text: str) -> str:
    """Return an e-mail domain of a list: `shop.com`, `@shop.com`, `*.shop.com`, or `.test` for a top-level domain.

    Raises:
        ValueError: It isn't one.
    """
    bare = _host(text.strip().casefold().removeprefix("*").removeprefix("@"))
    top_level = text.strip().startswith(".") and "." not in bare
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", bare) or ("." not in bare and not top_level):
        raise ValueError("is not an e-mail domain: write shop.com")
    return bare


def address_entry(text: str) -> str:
    """Return an e-mail address of a list, with the wildcards * and ?, as a regular expression.

    Raises:
        ValueError: It isn't one, or it would match every address.
    """
    found = text.strip().casefold()
    local, _, host = found.rpartition("@")
    if not local or not host or re.search(r"[\s@]", local + host):
        raise ValueError("is not an e-mail address: write qa@shop.com or qa+*@shop.com")
    if not re.search(r"\w", local + host):
        raise ValueError("matches every address: write qa@shop.com or qa+*@shop.com")
    return translate(f"{local}@{_host(host)}")


def label_entry(text: str) -> str:
    """Return one label of an e-mail domain, with the wildcards * and ?, as a regular expression."""
    return translate(text.strip().casefold())


def number_entry(text: str) -> str:
    """Return the numbers of an entry: one, `+5730012345*`, `+1???55501??` or `+441632960000-+441632960999`.

    The result is a regular expression for the digits after the plus.

    Raises:
        ValueError: It has another form, or names a whole country.
    """
    if bounds := _RANGE.fullmatch(text.strip()):
        return _between(*(_digits(bound) for bound in bounds.groups()))
    pattern = text.strip().translate(_NO_SEPARATORS)
    if not re.fullmatch(r"\+[1-9][\d?]*\*?", pattern):
        raise ValueError(
            "is not a number with its country: write +573001234567, +5730012345*, +1???55501?? "
            "or +573001234500-+573001234599"
        )
    if sum(char.isdigit() for char in pattern) < _FEWEST_DIGITS:
        raise ValueError(f"names too many numbers: give at least {_FEWEST_DIGITS} digits")
    if pattern[1:].isdigit():
        return re.escape(number(pattern))
    return pattern[1:].replace("?", r"\d").replace("*", r"\d*")


def number(e164: str) -> str:
    """Return the digits that identify a line, however its number is written."""
    from detectors.normalize.identities import identities_of

    found = identities_of(e164, "", "")
    return _digits(found[0] if found else e164)


def _between(first: str, last: str) -> str:
    if len(first) != len(last) or first > last:
        raise ValueError("is not a range: both numbers need as many digits, the lower one first")
    return _range_of(first, last)


def _range_of(first: str, last: str) -> str:
    """Return a regular expression for all digit texts between two of the same length, both included."""
    if first == last:
        return first
    if first[0] == last[0]:
        return first[0] + _range_of(first[1:], last[1:])
    rest = len(first) - 1
    low, high = int(first[0]), int(last[0])
    parts = []
    if rest and first[1:] != "0" * rest:
        parts.append(first[0] + _range_of(first[1:], "9" * rest))
        low += 1
    if rest and last[1:] != "9" * rest:
        parts.append(last[0] + _range_of("0" * rest, last[1:]))
        high -= 1
    if low <= high:
        parts.append(f"[{low}-{high}]" + (rf"\d{{{rest}}}" if rest else ""))
    return f"(?:{'|'.join(parts)})"


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal() and char.isascii())


def _host(text: str) -> str:
    """Return a host in its form for comparison: without dots at its ends, and in DNS's letters."""
    bare = text.strip(".")
    try:
        return bare if bare.isascii() else bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare
