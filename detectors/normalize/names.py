"""Names of people: what a shop sends in their place when it has none is no name."""

import re
from functools import lru_cache

from detectors.normalize.text import clean, fold, words

_NO_NAME = words("""
    null undefined none nil nan na n a unknown anonymous anonymo anonimo anonima anonyme desconocido desconocida
    desconhecido desconhecida inconnu inconnue guest invitado invitada convidado convidada invite invitee visitante
    visiteur visitor customer cliente client user usuario utilisateur shopper comprador buyer acheteur
    noname sinnombre semnome fullname firstname lastname firstnamelastname name nombre nome nom sin sem no
    true false object test prueba teste essai tbd xx xxx
    """)
"""Words of which none can be the only ones in a name (`Guest User`, `null null`, `N/A`, `Sin nombre`)."""
_UNFILLED = re.compile(r"\{\{|\}\}|\$\{|<%|%[A-Za-z_]+%|\*\|")
"""A template that was not filled in."""


@lru_cache(maxsize=4096)
def person_name(text: str) -> str | None:
    """Return a person's name as it is shown, or None if it is no name: empty, without a letter, or a placeholder."""
    name = clean(text)
    if not any(char.isalpha() for char in name) or _UNFILLED.search(name):
        return None
    return None if _NO_NAME.issuperset(fold(name).split()) else name
