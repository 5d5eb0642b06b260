"""JSON with invalid Unicode: unreadable parts are replaced, and the rest is unchanged."""

import re

_BROKEN_ESCAPE = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Half of a surrogate pair, as left by cutting a text inside an emoji. Complete pairs are fine."""
_CONTROLS = dict.fromkeys(range(0x20), " ")
"""Outside of a text they are white space or errors. Inside, JSON requires escapes."""


def readable(raw: bytes) -> bytes:
    """Return the text with U+FFFD for invalid Unicode, without a byte order mark."""
    text = raw.decode(_encoding(raw), errors="replace").lstrip("\ufeff").translate(_CONTROLS)
    return _BROKEN_ESCAPE.sub(lambda match: "\ufffd" if match["half"] else match[0], text).encode()


def _encoding(raw: bytes) -> str:
    """Return the encoding: UTF-16 only if every other byte is 0, as Windows writes it."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    return {b"\0{": "utf-16-be", b"{\0": "utf-16-le"}.get(raw[:2], "utf-8")
