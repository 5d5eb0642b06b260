"""Names of countries that pycountry lacks in its four languages."""

# Folded as in detectors.normalize.text.fold: lower case, no accents, no punctuation.
ALIASES: dict[str, str] = {
    # Codes that are not those of ISO 3166-1.
    "uk": "GB", "el": "GR", "usa": "US", "eeuu": "US", "eua": "US", "uae": "AE", "eau": "AE", "ksa": "SA", "rd": "DO",
    "rdc": "CD", "drc": "CD", "prc": "CN", "roc": "TW", "rok": "KR", "rsa": "ZA", "nz": "NZ", "cdmx": "MX",
    # English.
    "united states": "US", "united states of america": "US", "u s of a": "US", "great britain": "GB", "britain": "GB",
    "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL",
    "the netherlands": "NL", "ivory coast": "CI", "cape verde": "CV", "swaziland": "SZ", "burma": "MM",
    "macedonia": "MK", "czech republic": "CZ", "turkey": "TR", "south korea": "KR", "republic of korea": "KR",
    "north korea": "KP", "russia": "RU", "vietnam": "VN", "laos": "LA", "syria": "SY", "iran": "IR", "moldova": "MD",
    "tanzania": "TZ", "bolivia": "BO", "venezuela": "VE", "palestine": "PS", "brunei": "BN", "taiwan": "TW",
    "east timor": "TL", "macau": "MO", "vatican": "VA", "vatican city": "VA", "dr congo": "CD", "congo kinshasa": "CD",
    "congo brazzaville": "CG", "democratic republic of the congo": "CD", "republic of the congo": "CG",
    "republic of ireland": "IE", "falkland islands": "FK", "micronesia": "FM", "saint martin": "MF",
    "sint maarten": "SX", "reunion": "RE", "mainland china": "CN", "cabo verde": "CV", "timor leste": "TL",
    # Spanish.
    "ee uu": "US", "ee uu de america": "US", "estados unidos": "US", "estados unidos de america": "US",
    "estados unidos de norteamerica": "US", "gran bretana": "GB", "inglaterra": "GB", "escocia": "GB", "gales": "GB",
    "irlanda del norte": "GB", "holanda": "NL", "los paises bajos": "NL", "costa de marfil": "CI", "birmania": "MM",
    "suazilandia": "SZ", "swazilandia": "SZ", "republica checa": "CZ", "chequia": "CZ", "corea del sur": "KR",
    "corea del norte": "KP", "republica de corea": "KR", "moldavia": "MD", "palestina": "PS",
    "vaticano": "VA", "ciudad del vaticano": "VA", "timor oriental": "TL", "bielorrusia": "BY",
    "rep dominicana": "DO", "republica dominicana": "DO", "mexico df": "MX", "mexico d f": "MX", "mejico": "MX",
    "estados unidos mexicanos": "MX", "arabia saudita": "SA", "arabia saudi": "SA", "emiratos arabes": "AE",
    "emiratos arabes unidos": "AE", "bosnia": "BA", "trinidad": "TT", "congo democratico": "CD", "kirguistan": "KG",
    "kazajistan": "KZ", "kazajstan": "KZ", "botsuana": "BW", "zimbabue": "ZW", "kenia": "KE", "ruanda": "RW",
    "catar": "QA", "fiyi": "FJ", "islas malvinas": "FK", "nueva zelandia": "NZ", "guinea ecuatorial": "GQ",
    "papua nueva guinea": "PG", "surinam": "SR", "haiti": "HT", "macedonia del norte": "MK", "taiwan china": "TW",
    # Portuguese.
    "estados unidos da america": "US", "gra bretanha": "GB", "pais de gales": "GB", "irlanda do norte": "GB",
    "costa do marfim": "CI", "coreia do sul": "KR", "coreia do norte": "KP",
    "republica tcheca": "CZ", "tchequia": "CZ", "vietna": "VN", "vietname": "VN", "ira": "IR", "irao": "IR",
    "polonia": "PL", "eslovenia": "SI", "letonia": "LV",
    "republica democratica do congo": "CD", "emirados arabes unidos": "AE", "emirados arabes": "AE",
    "cidade do vaticano": "VA", "quenia": "KE",
    "nova zelandia": "NZ", "ilhas malvinas": "FK", "japao": "JP",
    # French.
    "etats unis": "US", "etats unis d amerique": "US", "les etats unis": "US", "grande bretagne": "GB",
    "angleterre": "GB", "ecosse": "GB", "pays de galles": "GB", "irlande du nord": "GB", "hollande": "NL",
    "pays bas": "NL", "cote d ivoire": "CI", "coree du sud": "KR", "coree du nord": "KP", "russie": "RU",
    "birmanie": "MM", "republique tcheque": "CZ", "tchequie": "CZ", "bielorussie": "BY", "moldavie": "MD",
    "syrie": "SY", "tanzanie": "TZ", "cite du vatican": "VA",
    "emirats arabes unis": "AE", "emirats": "AE", "republique democratique du congo": "CD", "rd congo": "CD",
    "cap vert": "CV", "macedoine": "MK", "macedoine du nord": "MK", "bolivie": "BO",
    # Other countries' own names.
    "deutschland": "DE", "espana": "ES", "brasil": "BR", "italia": "IT",
}  # fmt: skip

UNCLEAR = frozenset(
    {"eu", "america", "congo", "corea", "korea", "coree", "coreia", "guayana", "antillas", "e u", "republica"}
)
"""Texts that name several countries or a union of countries."""
