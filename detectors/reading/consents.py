"""Consent: a clear yes for a channel, a refusal in any form, or no answer."""

from collections.abc import Iterable

from detectors.activity import Consent
from detectors.normalize.text import fold, words
from detectors.normalize.yes_no import Answer, answer
from detectors.reading.names import renamed, squash
from detectors.reading.values import document, scalar, shortened, text

_CHANNELS = ("call", "whatsapp")
_ALSO: dict[str, str] = {
    **dict.fromkeys(words("calls phone voice telephone phonecall phonecalls llamada llamadas ligacao appel"), "call"),
    **dict.fromkeys(words("whatsappmessages whatsappmessage wa whatsup"), "whatsapp"),
}
"""Other names of the channels. A refusal under them counts; a yes doesn't, because it can be about something else."""
_WHOLE = words("all any general marketing granted status state value consent accepted given contact optin")
AGAINST = words("optout optedout denied declined refused revoked withdrawn donotcall donotcontact dnc unsubscribed")
ALSO_ASKED = words("consents consentgiven consentimiento consentimento optin optedin marketingconsent marketingoptin")
ALSO_ASKED_OF: dict[str, str] = {
    f"{before}{channel}{after}": channel
    for channel in _CHANNELS
    for before, after in (("consent", ""), ("", "consent"), ("", "optin"), ("optin", ""), ("", "optedin"))
}
"""Fields next to the consent under which a refusal counts, of all channels and of one."""
_NO = frozenset({False, "", "0", "f", "false", "n", "no", "nao", "non", "off", "never", "null", "none", "undefined"})
_MAIN = ("granted", "status", "state", "value", "accepted", "allowed", "given", "answer", "consent")


def consent(stated: Iterable[object]) -> dict[str, object] | None:
    """Return the canonical consent from everything that an event states about it; None without any.

    A refusal wins over a yes. A value that is neither a clear yes nor empty is a refusal.
    """
    answers: dict[str, list[Answer]] = {channel: [] for channel in _CHANNELS}
    proof: dict[str, object] = {}
    for value in stated:
        _add(document(value), answers, proof)
    found: dict[str, object] = {channel: "no" not in given for channel, given in answers.items() if given}
    return {**proof, **found} if found or proof else None


def refusal(part: dict[str, object]) -> object:
    """Return the refusals in fields next to the consent: False for all channels, an object for some, None for none.

    A yes under such names doesn't count.
    """
    answers: dict[str, list[Answer]] = {channel: [] for channel in _CHANNELS}
    for key, value in part.items():
        name = squash(key)
        if name in AGAINST and not _is_no(scalar(value)):
            return False
        if name in ALSO_ASKED:
            _add(document(value), answers, {})
        elif name in ALSO_ASKED_OF:
            answers[ALSO_ASKED_OF[name]].append(_answer(value) or "yes")
    return {channel: False for channel, given in answers.items() if "no" in given} or None


def _is_no(value: object) -> bool:
    """Whether a field such as `opted_out` is a clear no or empty. A date means yes."""
    stated = fold(value) if isinstance(value, str) else value
    return stated is None or stated in _NO if not isinstance(stated, dict | list) else not stated


def _add(value: object, answers: dict[str, list[Answer]], proof: dict[str, object]) -> None:
    if isinstance(value, dict):
        _by_name(renamed(value, Consent, first=True), answers, proof)
    elif isinstance(value, list) and all(isinstance(one, str) and _channel(one) for one in value):
        # A list of allowed channels. PHP writes an object without fields as an empty list.
        listed = {_channel(one) for one in value}
        for channel in _CHANNELS if value else ():
            answers[channel].append("yes" if channel in listed else "no")
    elif (given := answer(scalar(value))) is not None:
        for channel in _CHANNELS:
            answers[channel].append(given)


def _by_name(part: dict[str, object], answers: dict[str, list[Answer]], proof: dict[str, object]) -> None:
    for key, value in part.items():
        name = squash(key)
        given = _answer(value)
        if key in {"given_at", "source"}:
            proof[key] = shortened(text(value))
        elif name == "channels":
            _add(document(value), answers, proof)
        elif name in _CHANNELS:
            if given is not None:
                answers[name].append(given)
        elif given == "no" and name in _ALSO:
            answers[_ALSO[name]].append("no")
        elif (given == "no" and name in _WHOLE) or (given == "yes" and name in AGAINST):
            for channel in _CHANNELS:
                answers[channel].append("no")


def _answer(value: object) -> Answer | None:
    value = scalar(value)
    if isinstance(value, dict):
        names = {squash(key): inner for key, inner in value.items()}
        return next((answer(scalar(names[name])) for name in _MAIN if name in names), "no")
    return answer(value)


def _channel(name: str) -> str:
    name = squash(name)
    return name if name in _CHANNELS else _ALSO.get(name, "")
