"""Sets the clock of a Python process an hour ahead if its PYTHONPATH names this directory.

Not with libfaketime: Python waits by the monotonic clock, and with it time.sleep fails or other waits never end.
"""

from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True).start()
