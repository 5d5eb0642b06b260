"""Loads the data that the readers would load on first use."""

from detectors.normalize.countries import country
from detectors.normalize.emails import email
from detectors.normalize.languages import language
from detectors.normalize.money import currency, read
from detectors.normalize.names import person_name
from detectors.normalize.phones import phone


def warm_up() -> None:
    """Load the readers' data before a fork, so that the forked processes share it."""
    for number, country_code in (("+573001234567", "CO"), ("+5511987654321", "BR"), ("+525512345678", "MX")):
        phone(number, country_code)
    country("CO")
    country("Estados Unidos")
    for written in ("pt_br", "Español"):
        language(written, "CO")
    email("someone@example.com")
    currency("COP")
    read("1.234,56", "EUR")
    person_name("Jane Doe")
