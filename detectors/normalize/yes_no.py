"""Answers to a question: a clear yes, anything else that was answered, or no answer."""

from typing import Literal

from detectors.normalize.text import fold, words

Answer = Literal["yes", "no"]

_YES = words("""
    true t yes y si s sim oui o on 1 granted grant given accepted accept agreed agree allowed allow approved consented
    optin optedin subscribed concedido concedida aceptado aceptada acepto aceito aceita aceite autorizado
    autorizada autorizo permitido permitida accorde accordee accepte
    """)
_YES_PHRASES = frozenset({"opted in", "opt in", "de acuerdo", "d accord", "1 0"})
_NOT_ASKED = frozenset(
    {"", "null", "undefined", "unknown", "unset", "not set", "not asked", "n a", "na", "nan", "unspecified"}
    | {"desconocido", "desconhecido", "inconnu", "sin respuesta", "sem resposta"}
)


def answer(value: object) -> Answer | None:
    """Return an answer. Anything but a clear yes is a no. None: no answer was given (null, empty, "unknown")."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return "yes" if value == 1 else "no"
    if isinstance(value, str):
        stated = fold(value.replace("_", " "))
        if stated in _NOT_ASKED:
            return None if stated or not value.strip() else "no"
        return "yes" if stated in _YES or stated in _YES_PHRASES else "no"
    return "no"
