"""Masks data that must never be shown: secrets, passwords in URLs, and characters that forge or redraw lines."""

import re

MASK = "****"

_SECRET_NAME = re.compile(
    r"secret|api_?key|password|passwd|basic_?auth|authorization|token|contact\.test_list|encryption", re.IGNORECASE
)
# To the last @ of the word, because a password can hold an unescaped / or @.
_USER_INFO = re.compile(r"(?<=://)([^\s:@]*)(:?)\S*@")
_SECRET_PARAMETER = re.compile(r"([?&][\w-]*(?:secret|key|password|token)[\w-]*=)[^&\s]+", re.IGNORECASE)
_HOSTS = r"[\w.-]+(?::[0-9]+)?(?:,[\w.-]+(?::[0-9]+)?)*"
_NO_ROOM_FOR_A_PASSWORD = re.compile(rf"(?:[\w+]*:/+)?(?:{_HOSTS})?(?:[/?][^@:]*)?")


def is_secret(name: str) -> bool:
    """Return whether a value under this name (a setting, a log field, an HTTP header) must not be shown."""
    return _SECRET_NAME.search(name.replace("-", "_")) is not None


def mask_urls(text: str) -> str:
    """Replace the password of every URL in a text, and secret parameters of its query; the user's name stays."""
    if "://" not in text:
        return text
    text = _USER_INFO.sub(lambda url: f"{url[1]}:{MASK}@" if url[2] else f"{MASK}@", text)
    return _SECRET_PARAMETER.sub(rf"\g<1>{MASK}", text)


def mask_malformed_url(text: str) -> str:
    """Mask a malformed URL like `mask_urls`, with everything that can be a password."""
    if _NO_ROOM_FOR_A_PASSWORD.fullmatch(text):
        return mask_urls(text)
    masked = mask_urls(text)
    return masked if masked != text else MASK


def one_line(text: str) -> str:
    """Escape line breaks and other unprintable characters, as in a Python literal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def json_line(text: str) -> str:
    """Escape unprintable characters of a JSON text as JSON does, so that it stays the same document."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _json_escape(char) for char in text)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def mask_phone(text: str) -> str:
    """Keep the first three characters and the last two of a phone number: `+57*******67`."""
    shown = text.strip()
    return f"{shown[:3]}{'*' * (len(shown) - 5)}{shown[-2:]}" if len(shown) > 7 else MASK  # noqa: PLR2004 - too short to hide


def mask_words(text: str) -> str:
    """Keep the first letter of each word: `J*** D**`."""
    return " ".join(word[:1] + "*" * min(len(word) - 1, 3) for word in text.split())


def mask_email(text: str) -> str:
    """Keep the first letter and the last part of an e-mail address: `j***@***.com`."""
    name, at, host = text.partition("@")
    return f"{name[:1]}***@***.{host.rpartition('.')[2]}" if at and "." in host else MASK


def mask_identity(text: str) -> str:
    """Mask a phone number or an e-mail address."""
    return mask_email(text) if "@" in text else mask_phone(text)
