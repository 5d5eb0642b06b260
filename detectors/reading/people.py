"""The customer of an event, and in stop signals the person, whatever their fields are called."""

from collections import deque
from typing import Any

from detectors.activity import Customer
from detectors.normalize.text import words
from detectors.reading import consents
from detectors.reading.names import EMPTY, renamed, squash
from detectors.reading.values import document, part, scalar, shortened, text

_AS_IT_IS = frozenset({"phone_number", "email", "country_code", "time_zone", "region"})
"""Fields of which a part would mean something else."""
_MOST_NODES, _DEEPEST = 400, 3
_NOT_INTO = words("items lineitems products lines metadata merchant store shop seller vendor")
_NAMES: dict[str, str] = {
    **dict.fromkeys(
        words("""
        phonenumber phone phoneno mobile mobilephone mobilenumber cell cellphone telephone tel telefono telefone celular
        movil telefoonnummer msisdn contactnumber contactphone customerphone customerphonenumber userphone buyerphone
        billingphone shippingphone phonee164
        """),
        "phone_number",
    ),
    **dict.fromkeys(
        words("""
        email emailaddress mail correo correoelectronico courriel customeremail useremail buyeremail contactemail
        billingemail clientemail customeremailaddress
        """),
        "email",
    ),
    **dict.fromkeys(
        words("countrycode country countryiso countryisocode pais codigopais pays customercountry billingcountry"),
        "country_code",
    ),
}


def customer(value: object, *, first: bool) -> object:
    """Return the customer in the canonical form, as far as it is an object at all.

    `first`: of two fields that mean the same the first counts (a stop signal); else neither.
    """
    found = part(value)
    if found == "" and isinstance(found, str):
        return None
    if not isinstance(found, dict):
        return found
    fields = renamed(found, Customer, first=first)
    said = [value for key, value in found.items() if squash(key) == "consent"]
    read = {
        name: (text(fields[name]) if name in _AS_IT_IS else shortened(fields[name]))
        for name in Customer.model_fields
        if name in fields and name != "consent"
    }
    consent = consents.consent([*said, consents.refusal(found)])
    if consent is not None:
        read["consent"] = consent
    elif "consent" in fields:
        read["consent"] = None
    return read


def with_person(read: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Add to a customer what else names the person anywhere in an order or an opt-out: phone, e-mail, country."""
    found = dict(read)
    todo = deque([(event, 0)])
    nodes = 0
    while todo and nodes < _MOST_NODES:
        current, depth = todo.popleft()
        for key, value in current.items():
            nodes += 1
            name, inner = squash(key), document(scalar(value))
            field = _NAMES.get(name)
            written = text(inner)
            if field and isinstance(written, str) and found.get(field) in EMPTY:
                found[field] = written
            if isinstance(inner, dict) and depth < _DEEPEST and name not in _NOT_INTO:
                todo.append((inner, depth + 1))
    return found


def is_person_field(name: str) -> bool:
    """Whether a stop signal may name the person by a field of this name."""
    return squash(name) in _NAMES
