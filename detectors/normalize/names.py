"""Names of people. The placeholders that shops send in their place aren't names."""

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
"""Words that can't make up a name (`Guest User`, `null null`, `N/A`, `Sin nombre`)."""
_UNFILLED = re.compile(r"\{\{|\}\}|\$\{|<%|%[A-Za-z_]+%|\*\|")
"""An unfilled template."""


@lru_cache(maxsize=4096)
def person_name(text: str) -> str | None:
    """Return a person's name for display; None if it is empty, a placeholder, or has no letter."""
    name = clean(text)
    if not any(char.isalpha() for char in name) or _UNFILLED.search(name):
        return None
    return None if _NO_NAME.issuperset(fold(name).split()) else name
