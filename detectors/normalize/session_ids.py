"""Session ids: from what a shop calls a cart or checkout to the id under which its session is stored.

An id that can be part of a key is stored as it is. Any other, such as `gid://shopify/Cart/c1-…?key=…`, is stored as
`h/` and a hash. No shop's id is stored in that form: a slash is none of the characters that a key may have.
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
"""Ids that are stored as they are and hold a digit. The one placeholder with a digit is a lone 0."""
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
"""What the last part of a path holds that names one cart: a long word of digits and letters, or a UUID."""


def session_key(text: str) -> str:
    """Return the id under which a session is stored: the text itself if it can be part of a key, else a hash.

    `text` is as the shop wrote it; white space around it means nothing. A credential that only accompanies an id is no
    part of it: a Shopify cart is the same with and without `?key=…`. Where the rest of a text would not name one cart,
    as in `https://shop.example/checkout?token=…`, the whole text counts: two shoppers must not become one.
    """
    return text if _is_key(text) else _other_key(text)


@lru_cache(maxsize=8192)
def _other_key(text: str) -> str:
    name = _identity(text.strip())
    if _is_key(name):
        return name
    return _HASHED + sha256(name.encode(errors="surrogatepass")).hexdigest()[:_HASH_DIGITS]


def is_placeholder(text: str) -> bool:
    """Whether a text is what a shop's code writes when it has no id, such as `undefined`, `0`, `---` or `{{cart_id}}`.

    All of its shoppers would share one session, so that one shopper's name would go with another one's number.
    """
    return _SIGNS.sub("", text).lower() in _PLACEHOLDERS or _UNFILLED.search(text) is not None


def stored_as(text: str) -> str:
    """Return the id under which a session is stored that a person names: by the shop's id, or as it is stored."""
    return text if _is_hashed(text) else session_key(text)


def is_hashed(key: str) -> bool:
    """Whether a stored id is a hash, so that only the session itself says what the shop calls it."""
    return key.startswith(_HASHED)


@lru_cache(maxsize=4096)
def public_session_id(text: str) -> str:
    """Return a shop's id without its credentials: user and password, and parts of a query such as `?key=…`.

    This is what is stored, shown and sent. Empty if nothing else is in it.
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
    """Drop user and password, and the parts of the query and the fragment whose names are those of credentials."""
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
