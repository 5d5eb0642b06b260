"""E-mail addresses. No address is looked up."""

import re
from functools import lru_cache

from detectors.normalize.text import decode_entities

_IN_BRACKETS = re.compile(r"[^<>]*<\s*([^<>]+?)\s*>\s*")  # Ana <ana@example.com>
_INVISIBLE = str.maketrans("", "", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e")


@lru_cache(maxsize=65_536)
def email(text: str) -> str | None:
    """Return an e-mail address in its usual form; None if it isn't one.

    Accepts `mailto:` links, `Ana <ana@example.com>`, spaces around it, escaped and full-width characters.
    """
    from email_validator import EmailNotValidError, validate_email

    written = decode_entities(text).translate(_INVISIBLE).strip()
    in_brackets = _IN_BRACKETS.fullmatch(written)
    if in_brackets:
        written = in_brackets[1]
    if written[:7].lower() == "mailto:":
        written = written[7:].partition("?")[0].replace("%40", "@").replace("%2B", "+").replace("%2b", "+")
    written = written.replace("\uff20", "@").strip(" \t\r\n'\";,.")
    local, at, domain = written.rpartition("@")
    # Only around the @: a space elsewhere can be a forgotten comma between two addresses.
    written = f"{local.rstrip()}@{domain.lstrip()}" if at else written
    try:
        return validate_email(written, check_deliverability=False).normalized
    except EmailNotValidError:
        return None
