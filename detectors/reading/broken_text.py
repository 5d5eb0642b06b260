"""JSON whose text isn't Unicode throughout: what can't be read is replaced, and the rest stays as it is."""

import re

_BROKEN_ESCAPE = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Half of a surrogate pair, as it comes from cutting a text in the middle of an emoji; the others are fine."""
_CONTROLS = dict.fromkeys(range(0x20), " ")
"""Outside of a text they are white space or wrong, and inside JSON wants them escaped."""


def readable(raw: bytes) -> bytes:
    """Put U+FFFD wherever the text is not Unicode, and drop a byte order mark."""
    text = raw.decode(_encoding(raw), errors="replace").lstrip("\ufeff").translate(_CONTROLS)
    return _BROKEN_ESCAPE.sub(lambda match: "\ufffd" if match["half"] else match[0], text).encode()


def _encoding(raw: bytes) -> str:
    """Return UTF-16 for what is surely that, as Windows writes it: every other byte of its signs is 0."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    return {b"\0{": "utf-16-be", b"{\0": "utf-16-le"}.get(raw[:2], "utf-8")
