"""A sample of sessions, to check what the shop sends."""

from collections.abc import Sequence

from state.keys import Keys
from state.partitions import PARTITIONS
from state.scripts import Scripts
from state.server_errors import driver_errors


def waiting_sessions(scripts: Scripts, keys: Keys, lanes: Sequence[str]) -> list[str]:
    """Return the ids of waiting sessions: the longest silent one of each lane in each partition."""
    with driver_errors():
        pipe = scripts.client.pipeline(transaction=False)
        for number in range(PARTITIONS):
            for lane in lanes:
                pipe.zrange(keys.lane(number, lane), 0, 0)
        replies: list[list[bytes]] = pipe.execute()
    return [member.decode() for members in replies for member in members]
