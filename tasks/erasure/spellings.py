"""Finds a phone number or an e-mail address in any text, in any spelling. Pure."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

import phonenumbers

from detectors.normalize.identities import named_by
from detectors.normalize.phones import country_of_phone

_TAIL = 6
"""The last digits of a number, which are the same in all of its spellings: plans and prefixes change the first ones."""
_BETWEEN = r"[\s().\-/]*"
_BEFORE = re.compile(r"(?:\+|[0-9][\s().\-/]{0,3}){0,24}\Z")
"""The possible text before the last digits of the same number."""
_LOOK_BACK = 60
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_DIGIT = re.compile(r"[^\D0-9]")
_WHITE_SPACE = re.compile(r"\\[nrtbf]")
_APART = r"\s\"'<>(),;:\[\]{}\\|=/?&#*"
_ADDRESS = re.compile(rf"[^{_APART}]+@[^{_APART}]+")
_GROUP = re.compile(r"(?<![0-9])\+?[0-9]")


class Spellings:
    """Recognises the given identities in any text."""

    def __init__(self, identities: Iterable[str]) -> None:
        self._identities = frozenset(identities)
        self._numbers = [_Number(found) for found in sorted(self._identities) if found.startswith("+")]
        self._mailboxes = [_mailbox(found) for found in sorted(self._identities) if "@" in found]

    def is_in(self, text: str) -> bool:
        """Return whether a text contains one of them."""
        if not text or not self._identities:
            return False
        text = plain(text)
        return any(self._has_number(text, number) for number in self._numbers) or self._has_address(text)

    def may_be(self, phone: str, email: str) -> bool:
        """Return whether a phone number or an address may be one of them: a quick check that excludes most."""
        phone = plain(phone)
        digits = "".join(filter(str.isdigit, phone))
        if any(number.tail in digits for number in self._numbers) or (self._numbers and _has_letters(phone)):
            return True
        address = _squeezed(email)
        return any(mailbox in address for mailbox in self._mailboxes)

    def _has_number(self, text: str, number: "_Number") -> bool:
        if number.usual.search(text):
            return True
        return any(
            self._identities.intersection(named_by(candidate, number.country, ""))
            for candidate in number.candidates(text)
        )

    def _has_address(self, text: str) -> bool:
        if not self._mailboxes or not ("@" in text or "%40" in text):
            return False
        for found in _ADDRESS.findall(text.replace("%40", "@")):
            squeezed = _squeezed(found)
            if any(mailbox in squeezed for mailbox in self._mailboxes) and self._identities.intersection(
                named_by("", "", found.strip(".!?"))
            ):
                return True
        return False


class _Number:
    def __init__(self, identity: str) -> None:
        self.country = _country(identity)
        self.tail = identity[-_TAIL:]
        self.usual = _usual(identity)
        self._tail = re.compile(_BETWEEN.join(self.tail) + r"(?![0-9])")

    def candidates(self, text: str) -> Iterator[str]:
        """Yield possible numbers: digits that end like it, starting at each preceding group of digits."""
        for found in self._tail.finditer(text):
            start = max(0, found.start() - _LOOK_BACK)
            before = _BEFORE.search(text[start : found.start()])
            run = text[start + before.start() : found.end()] if before else found[0]
            for group in _GROUP.finditer(run):
                yield run[group.start() :]


def plain(text: str) -> str:
    """Return a text without JSON's and HTML's escapes, and with the digits of all scripts as 0 to 9."""
    if "\\" in text:
        text = _WHITE_SPACE.sub(" ", text.replace("\\/", "/"))
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if "&#" in text:
        text = unescape(text)
    return text if text.isascii() else _DIGIT.sub(lambda found: str(int(found[0])), text)


def _usual(identity: str) -> re.Pattern[str]:
    """Return a pattern that finds a number with or without its country code, with separators.

    The digit before the national number is a trunk prefix, or the 1 of Mexican mobiles in their old form.
    """
    try:
        parsed = phonenumbers.parse(identity)
    except phonenumbers.NumberParseException:
        # Digits that aren't a valid number can still name a person.
        return re.compile(rf"(?<![0-9]){_BETWEEN.join(identity[1:])}(?![0-9])")
    national = phonenumbers.national_significant_number(parsed)
    code = _BETWEEN.join(str(parsed.country_code))
    return re.compile(
        rf"(?<![0-9])(?:(?:00)?{_BETWEEN}{code}{_BETWEEN})?[01]?{_BETWEEN}{_BETWEEN.join(national)}(?![0-9])"
    )


def _country(identity: str) -> str:
    try:
        return country_of_phone(identity) or ""
    except phonenumbers.NumberParseException:
        return ""


def _mailbox(identity: str) -> str:
    """Return the part of an address that all its spellings share: the text before a +, without dots."""
    return _squeezed(identity.partition("@")[0].partition("+")[0])


def _squeezed(text: str) -> str:
    return text.casefold().replace(".", "")


def _has_letters(text: str) -> bool:
    return any(char.isalpha() for char in text)
