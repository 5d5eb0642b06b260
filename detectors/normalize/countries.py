"""Countries: from `co`, `COL` or `Colombia` to ISO 3166-1 alpha-2."""

from functools import lru_cache

import pycountry


@lru_cache(maxsize=1024)
def country(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of `co`, `COL` or `Colombia`; None when there is no such country."""
    try:
        return str(pycountry.countries.lookup(text.strip()).alpha_2)
    except LookupError:
        return None
