"""The customer of an event, and in stop signals the person, under any field names."""

import re
from collections import deque
from collections.abc import Iterator

from detectors.activity import Customer
from detectors.normalize.text import words
from detectors.reading import consents
from detectors.reading.names import renamed, squash
from detectors.reading.values import document, labelled, objects, part, scalar, shortened, text

_AS_IT_IS = frozenset({"phone_number", "email", "country_code", "time_zone", "region"})
"""Fields that can't be cut, because a part would mean something else."""
_MOST_NODES, _DEEPEST = 400, 3
_NOT_INTO = words("items lineitems products lines metadata merchant store shop seller vendor")
_CONTACTS = words("""
    to from recipient recipients waid whatsapp number identity identifier contact contacts user userid customer
    subscriber address destination
    """)
_PARTS = (
    *("countrycode", "ddi", "areacode", "area", "ddd", "number", "nationalnumber"),
    *("value", "e164", "phonenumber", "phone", "email"),
)
"""Fields of an object that represents a number or an address, in reading order."""
_JID = re.compile(r"@(?:s\.whatsapp\.net|c\.us|g\.us)\b")
_FEWEST_DIGITS = 7
MOST = 8
_NAMES: dict[str, str] = {
    **dict.fromkeys(
        words("""
        phonenumber phone phoneno mobile mobilephone mobilenumber cell cellphone telephone tel telefono telefone celular
        movil telefoonnummer msisdn contactnumber contactphone customerphone customerphonenumber userphone buyerphone
        billingphone shippingphone phonee164 phones phonenumbers telephones telefones telefonos
        """),
        "phone_number",
    ),
    **dict.fromkeys(
        words("""
        email emailaddress mail correo correoelectronico courriel customeremail useremail buyeremail contactemail
        billingemail clientemail customeremailaddress emails emailaddresses
        """),
        "email",
    ),
    **dict.fromkeys(
        words("countrycode country countryiso countryisocode pais codigopais pays customercountry billingcountry"),
        "country_code",
    ),
}


def customer(value: object, *, first: bool) -> object:
    """Return the customer in the canonical form, if it is an object.

    `first`: of two fields with the same meaning, take the first one (for a stop signal). Otherwise take neither.
    """
    found = part(value)
    if found == "" and isinstance(found, str):
        return None
    if not isinstance(found, dict):
        return found
    fields = renamed(found, Customer, first=first)
    stated = [value for key, value in found.items() if squash(key) == "consent"]
    read = {
        name: (text(fields[name]) if name in _AS_IT_IS else shortened(fields[name]))
        for name in Customer.model_fields
        if name in fields and name != "consent"
    }
    consent = consents.consent([*stated, consents.refusal(found)])
    if consent is not None:
        read["consent"] = consent
    elif "consent" in fields:
        read["consent"] = None
    return read


def named(event: dict[str, object], *, contacts: bool) -> list[dict[str, str]]:
    """Return every person that an order or an opt-out names anywhere: at most `MOST`, each by phone number or address.

    `contacts`: also search names such as `from` or `recipient`, which in an order can be about anyone.
    """
    found: list[tuple[str, str]] = []
    countries: list[str] = []
    todo = deque([(event, 0)])
    nodes = 0
    while todo and nodes < _MOST_NODES:
        current, depth = todo.popleft()
        for key, value in (*current.items(), *labelled(current)):
            nodes += 1
            name, inner = squash(key), document(scalar(value))
            field = _NAMES.get(name)
            if field == "country_code":
                countries += _texts(inner)
            elif field:
                found += ((field, one) for one in _texts(inner))
            elif contacts and name in _CONTACTS and not objects(inner):
                found += ((_looks_like(one), one) for one in _texts(inner))
            if depth < _DEEPEST and name not in _NOT_INTO:
                todo += ((one, depth + 1) for one in objects(inner))
    country = {"country_code": countries[0]} if countries else {}
    people = [{field: one} | country for field, one in dict.fromkeys(found) if field]
    return people[:MOST]


def _texts(value: object) -> Iterator[str]:
    """Yield each text of a field: all of a list, or the joined parts of an object."""
    for one in value if isinstance(value, list) else [value]:
        inner = document(scalar(one))
        if isinstance(inner, dict):
            parts = {squash(key): text(part) for key, part in inner.items()}
            inner = " ".join(str(parts[name]) for name in _PARTS if isinstance(parts.get(name), str))
        written = text(inner)
        if isinstance(written, str) and written.strip():
            yield written


def _looks_like(written: str) -> str:
    if "@" in written and not _JID.search(written):
        return "email"
    return "phone_number" if sum(char.isdigit() for char in written) >= _FEWEST_DIGITS else ""


def is_person_field(name: str) -> bool:
    """Whether a stop signal can name the person by a field of this name."""
    return squash(name) in _NAMES
