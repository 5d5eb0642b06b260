"""How each currency writes amounts: the separators of thousands and of decimals."""

from detectors.normalize.text import words

POINT_GROUPS = words("""
    ARS BRL CLP COP CRC PYG UYU VES IDR VND DKK ISK RSD RON TRY MKD BAM ALL GEL AZN MZN AOA CVE STN TJS
    """)
"""Currencies written as 1.234,56 everywhere."""

COMMA_GROUPS = words("""
    USD GBP CAD AUD NZD MXN GTQ HNL NIO DOP PEN JPY CNY KRW INR THB PHP MYR SGD HKD TWD ILS EGP SAR AED QAR NGN KES GHS
    UGX TZS ZMW PKR LKR NPR BDT JMD TTD BBD BSD BZD KYD XCD PAB CUP HTG KWD BHD OMR JOD
    """)
"""Currencies written as 1,234.56 nearly everywhere."""

WITHOUT_DECIMALS = words("""
    CLP COP CRC PYG ARS JPY KRW VND IDR ISK HUF UGX RWF BIF DJF GNF KMF VUV XAF XOF XPF IRR LAK MMK MGA UZS VES LBP SYP
    SLE SOS TZS IQD YER NGN
    """)
"""Currencies whose prices have no decimals, by ISO 4217 or because the smallest coin is worth too little."""

SYMBOLS: dict[str, str] = {
    "r$": "BRL",
    "us$": "USD",
    "u$s": "USD",
    "s/": "PEN",
    "s/.": "PEN",
    "\u20ac": "EUR",
    "mx$": "MXN",
}
"""Signs that only one currency uses. `$`, `£` and `kr` aren't among them."""

WORDS = words("""
    $ \u00a3 \u00a5 \u20ac \u20a9 \u20aa \u20ab \u20b1 \u20b2 \u20b4 \u20b5 \u20b8 \u20b9 \u20ba \u20bd \u20be \u20bf
    peso pesos real reais euro euros dolar dolares dollar dollars sol soles kr kr. zl bs bs. q l rs rs. col$ cop$ clp$
    mxn$ ar$ ca$ au$ nz$ hk$ rd$ $us $u $b c$ chf fr. ft kc lei lv din
    """)
"""Text that can stand next to an amount, in addition to ISO codes and `SYMBOLS`."""
