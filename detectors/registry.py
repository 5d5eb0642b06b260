"""Every kind of abandonment. Append only: a kind's place is part of the sequence numbers kept in Redis.

Of several kinds that recognise an event the last has it, so that a new one can be a narrower case of an older.
"""

from detectors.declined import DECLINED
from detectors.exit import EXIT
from detectors.idle import IDLE
from detectors.kind import Kind
from detectors.pending import LAPSED, PENDING

KINDS: tuple[Kind, ...] = (
    IDLE,
    EXIT,
    DECLINED,
    PENDING,
    LAPSED,
)
