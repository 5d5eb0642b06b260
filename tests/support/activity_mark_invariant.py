"""The invariant that exactly the sessions with more than plain activity are marked: see `marked.lua`."""

from collections.abc import Mapping
from typing import Any

from state.session_record import MARK, RANK_SPAN


def wrongly_marked(client: Any) -> list[str]:  # noqa: ANN401 - real or fake
    """Return the sessions whose mark is wrong, so that the next event would take the wrong path."""
    keys = list(client.scan_iter("*:session:*", count=1000))
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.hgetall(key)
    return [key.decode() for key, found in zip(keys, pipe.execute(), strict=True) if not _is_right(found)]


def _is_right(found: Mapping[bytes, bytes]) -> bool:
    stored = {name.decode(): value.decode() for name, value in found.items()}
    if "activity" not in stored:
        return True
    activity = int(stored["activity"].rstrip(MARK))
    signal, purchase = int(stored.get("signal", 0)), int(stored.get("purchase", 0))
    is_plain = "state" not in stored and not stored.keys() & {"silent", "seen"} and signal <= activity
    # A session that paid after its last activity is bought, and so has a state.
    assert "state" in stored or purchase // RANK_SPAN <= activity // RANK_SPAN
    return stored["activity"].endswith(MARK) is not is_plain
