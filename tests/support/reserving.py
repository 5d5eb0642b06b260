"""Reserved people."""

from state.people import person_of
from tests.support.passing_time import let_reservations_age
from tests.support.states import LEASE_MS, SECRET
from worker.runtime import State

PERSON = person_of("+573001234567", SECRET)
FIRST, SECOND = "07-0123456789abcdef", "48-fedcba9876543210"


def let_lease_pass(state: State, *, ms: int = LEASE_MS, person: str = PERSON) -> None:
    """Age the reservations by a lease, or by another time."""
    let_reservations_age(state, person, ms)
