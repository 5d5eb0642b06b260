"""Session ids: from a shop's id of a cart or checkout to the id under which its session is stored.

An id that can be part of a key is stored unchanged. Any other, such as `gid://shopify/Cart/c1-…?key=…`, is stored as
`h/` and a hash. No shop's id has that form, because a key can't contain a slash.
"""

import re
from functools import lru_cache
from hashlib import sha256

MOST_CHARACTERS = 512
_is_key = re.compile(r"[A-Za-z0-9._:\-~@+=]{1,128}").fullmatch
_HASHED = "h/"
_HASH_DIGITS = 40
_is_hashed = re.compile(rf"{_HASHED}[0-9a-f]{{{_HASH_DIGITS}}}").fullmatch
_CREDENTIAL = re.compile(
    r"(?:[a-z0-9]+[_-])*(?:key|apikey|token|accesstoken|authtoken|auth|authorization|bearer|credentials?|hash|hmac|jwt|"
    r"nonce|passwd|password|pin|pwd|secret|sig|signature)",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(
    {
        "",
        "0",
        "null",
        "nil",
        "none",
        "nan",
        "na",
        "undefined",
        "unknown",
        "true",
        "false",
        "objectobject",
        "sessionid",
        "cartid",
        "checkoutid",
        "anonymous",
        "guest",
    }
)
is_plain_id = re.compile(r"(?=[^0-9]*(?:[1-9]|0.*[A-Za-z0-9]))[A-Za-z0-9._:\-~@+=]{1,128}").fullmatch
"""Ids that are stored unchanged and hold a digit. The only placeholder with a digit is a single 0."""
_UNFILLED = re.compile(r"\{\{|\}\}|\$\{|<%|\*\|")
_SIGNS = re.compile(r"[\W_]+")
_USER_INFO = re.compile(r"(?<=://)[^/?#@\s]*@")
_GLOBAL_ID = "gid://"
_SEPARATOR = re.compile(r"[&;]")
_DIGIT = re.compile(r"[0-9]")
_UNIQUE = re.compile(
    r"(?<![A-Za-z0-9])(?:(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{16,}"
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})"
)
"""The last part of a path if it names one cart: a long word of digits and letters, or a UUID."""


def session_key(text: str) -> str:
    """Return the id under which a session is stored: the text itself if it can be part of a key, or else a hash.

    `text` is as the shop wrote it; white space around it is ignored. A credential next to an id isn't part of it: a
    Shopify cart is the same with and without `?key=…`. If the rest of a text wouldn't name one cart, as in
    `https://shop.example/checkout?token=…`, the whole text counts: two shoppers must not share a session.
    """
    return text if _is_key(text) else _other_key(text)


@lru_cache(maxsize=8192)
def _other_key(text: str) -> str:
    name = _identity(text.strip())
    if _is_key(name):
        return name
    return _HASHED + sha256(name.encode(errors="surrogatepass")).hexdigest()[:_HASH_DIGITS]


def is_placeholder(text: str) -> bool:
    """Whether a text is a placeholder that code writes without an id: `undefined`, `0`, `---` or `{{cart_id}}`.

    All such shoppers would share one session, which would mix one shopper's name with another's number.
    """
    return _SIGNS.sub("", text).lower() in _PLACEHOLDERS or _UNFILLED.search(text) is not None


def stored_as(text: str) -> str:
    """Return the id under which a session is stored, from the shop's id or the stored id."""
    return text if _is_hashed(text) else session_key(text)


def is_hashed(key: str) -> bool:
    """Whether a stored id is a hash, so that only the session's data holds the shop's id."""
    return key.startswith(_HASHED)


@lru_cache(maxsize=4096)
def public_session_id(text: str) -> str:
    """Return a shop's id without its credentials: user and password, and parts of a query such as `?key=…`.

    This form is stored, shown and sent. Empty if nothing else is left.
    """
    return _without_credentials(text.strip())


def _identity(text: str) -> str:
    bare = _without_credentials(text)
    if bare == text or text.startswith(_GLOBAL_ID):
        return bare
    path = re.split(r"[?#]", bare, maxsplit=1)[0].rstrip("/")
    above, _, last = path.rpartition("/")
    names_one = _UNIQUE.search(last) or (not above and _DIGIT.search(last))
    return bare if names_one else text


def _without_credentials(text: str) -> str:
    """Remove user and password, and the parts of the query and the fragment that are named like credentials."""
    text = _USER_INFO.sub("", text)
    whole, hash_mark, fragment = text.partition("#")
    path, question_mark, query = whole.partition("?")
    return path + _kept(question_mark, query) + _kept(hash_mark, fragment)


def _kept(mark: str, parts: str) -> str:
    found = _SEPARATOR.split(parts)
    kept = [part for part in found if not _CREDENTIAL.fullmatch(part.partition("=")[0])]
    if len(kept) == len(found):
        return mark + parts
    return mark + "&".join(kept) if kept else ""
