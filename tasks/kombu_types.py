"""Names for objects of kombu and Celery whose types are missing or incomplete. They can be anything.

Their signatures can't be changed, because Celery calls the overridden methods.
"""

from typing import Any

KombuConnection = Any
KombuMessage = Any
KombuObject = Any
"""Any other object of kombu, such as a quality of service or a registry."""
TornadoHandler = Any
"""A route of Flower, as a tuple or tornado's own."""
