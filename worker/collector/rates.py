"""How much a key or an address can send: a token bucket for each, in bounded memory."""

from collections import OrderedDict
from collections.abc import Hashable

MOST_BUCKETS = 20_000
BURST_S = 10
"""A bucket holds what its rate gives in this time."""


class Buckets:
    """Token buckets of one rate. Of more than `most` keys, those are forgotten that were not used for longest."""

    def __init__(self, per_second: int, most: int = MOST_BUCKETS) -> None:
        self._per_second = per_second
        self._capacity = float(per_second * BURST_S)
        self._most = most
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    @property
    def size(self) -> int:
        """How many buckets are kept."""
        return len(self._buckets)

    def take(self, key: Hashable, cost: int, now_s: float) -> float:
        """Take tokens. Return 0, or after how many seconds there will be enough; then none was taken.

        A full bucket permits any cost, and is in debt afterwards: a batch can be larger than a bucket.

        Args:
            key: Whose bucket it is.
            cost: How many.
            now_s: A steady time in seconds.
        """
        tokens, at_s = self._buckets.pop(key, (self._capacity, now_s))
        tokens = min(self._capacity, tokens + max(0.0, now_s - at_s) * self._per_second)
        needed = min(float(cost), self._capacity)
        is_enough = tokens >= needed
        self._buckets[key] = (tokens - cost if is_enough else tokens, now_s)
        if self.size > self._most:
            self._buckets.popitem(last=False)
        return 0.0 if is_enough else (needed - tokens) / self._per_second
