"""Languages: from `es`, `pt_br` or `spa` to a BCP 47 tag."""

from functools import lru_cache

import langcodes

_NO_LANGUAGE = frozenset({"x", "und", "mul", "mis", "zxx"})
"""What valid tags that name no language begin with: private, undetermined, several, uncoded, none (BCP 47, ISO 639)."""


@lru_cache(maxsize=1024)
def language(text: str) -> str | None:
    """Return the BCP 47 tag of `es`, `pt_br` or `spa`; None when it names no language."""
    try:
        tag = langcodes.standardize_tag(text.strip().replace("_", "-"))
    except ValueError:
        return None
    return tag if langcodes.tag_is_valid(tag) and tag.partition("-")[0] not in _NO_LANGUAGE else None
