"""Every kind of abandonment. Append only: a kind's position is part of the sequence numbers in Redis.

If several kinds recognise an event, the last one wins, so that a new kind can narrow an older one.
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
