"""The keys of privacy requests; see `state.keys`."""

from state.keys import DAY_MS, Keys

DONE_TTL_MS = 7 * DAY_MS


def privacy_prefix(keys: Keys) -> str:
    """Prefix of privacy requests: to erase the data of a person or a shop, or to hand out a copy.

    `ID` is a keyed hash of the shop's own id of the request. Under it:

    - `request:ID`: hash, kind, source, shop, time (ms), visitors as keyed hashes, people (encrypted if
      `encryption_keys` is set), failures; until it is done
    - `done:ID`: text, so that a repeat isn't a new request (7 days)
    - `due`: sorted set, erasure → when it runs next (ms)
    - `open:erasures`, `open:shops`, `open:data`: sorted sets, open request → when it was received (ms)
    - `open:failed`: sorted set, erasure that fails → since when (ms)
    """
    return f"{keys.namespace}:{{privacy}}:"
