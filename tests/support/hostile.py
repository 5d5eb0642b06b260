"""Random messages for the workers' queues, and a worker that must survive them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.outreaches import abandon, dispatch
from tests.support.processes import AT_ONCE, Lines
from tests.support.states import SECRET
from worker import runtime
from worker.runtime import State
from worker.settings import load
from worker.supervision.roles import roles
from worker.supervision.supervisor import Supervisor

QUEUE = "winback.recover"
HINT = "07-0123456789abcdef"
HEADERS: Mapping[str, object] = {
    "lang": "py", "task": QUEUE, "id": "0", "shadow": None, "eta": None, "expires": None, "group": None, "retries": 0,
    "timelimit": [None, None], "root_id": "0", "parent_id": None, "argsrepr": "()", "kwargsrepr": "{}", "origin": "x",
}  # fmt: skip
EMBEDDED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_sessions, _tags = count(), count()

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, whole: Mapping[str, object]) -> dict[str, object]:
    """Draw a copy with one to three fields missing or replaced by anything."""
    found = dict(whole)
    for name in draw(st.lists(st.sampled_from(sorted(whole)), min_size=1, max_size=3, unique=True)):
        if draw(st.booleans()):
            found[name] = draw(anything)
        else:
            del found[name]
    return found


bodies: st.SearchStrategy[bytes] = st.one_of(
    st.just(json.dumps([[HINT], {}, EMBEDDED]).encode()),
    anything.map(lambda value: json.dumps(value).encode()),
    st.tuples(anything, anything, anything).map(lambda parts: json.dumps(parts).encode()),
    st.binary(max_size=30),
    st.sampled_from([b"[" * 50_000, b'{"__type__": "uuid", "__value__": 3}']),
)
headers: st.SearchStrategy[dict[str, object]] = st.just(dict(HEADERS)) | changed(HEADERS)
content_types = st.sampled_from(["application/json", "application/x-python-serialize", "application/data", "", "x"])
encodings = st.sampled_from(["utf-8", "binary", "klingon", "utf-16", ""])


def envelope(body: bytes, head: object, content_type: object, encoding: object) -> dict[str, object]:
    """Return a message as kombu keeps it in Redis."""
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": content_type,
        "content-encoding": encoding,
        "headers": head,
        "properties": {
            "delivery_info": {"exchange": QUEUE, "routing_key": QUEUE},
            "delivery_tag": f"tag-{next(_tags)}",
            "body_encoding": "base64",
            "priority": 0,
        },
    }


@st.composite
def redis_items(draw: st.DrawFn) -> bytes:
    """Draw an item of the list that is a queue."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=30) | bodies)
    whole: dict[str, Any] = envelope(draw(bodies), draw(headers), draw(content_types), draw(encodings))
    match draw(st.integers(0, 3)):
        case 0:
            whole = draw(changed(whole))
        case 1:
            whole["properties"] = draw(changed(whole["properties"]))
        case 2:
            whole["headers"]["compression"] = draw(st.sampled_from(["application/x-gzip", "zlib", "x", 5]))
    return json.dumps(whole).encode()


class Target:
    """A recover worker that must keep taking hints."""

    def __init__(self, state: State, supervisor: Supervisor, lines: Lines) -> None:
        self.state = state
        self.supervisor = supervisor
        self.lines = lines
        self._pids = supervisor.pids()

    def survives(self, hint: Callable[[str], object]) -> None:
        """Assert that it takes a hint queued after everything else, in the same process."""
        abandon(self.state, f"after-{next(_sessions)}")
        (outreach,) = dispatch(self.state)
        hint(outreach)
        self.supervisor.wait_until(lambda: not self.state.outbox.leased(), 10)
        assert self.supervisor.pids() == self._pids, "\n".join(line for _, line in self.lines.all[-30:])


@contextmanager
def target(directory: Path, redis_url: str, broker_url: str) -> Iterator[Target]:
    """Start a worker in shadow mode, and wait until it is live."""
    (directory / "winback.toml").touch()
    env = {
        "WINBACK_CONFIG": str(directory / "winback.toml"),
        "WINBACK_REDIS_URL": redis_url,
        "WINBACK_BROKER_URL": broker_url,
        "WINBACK_IDENTITY_SECRET": SECRET.decode(),
        "WINBACK_CONTACT__QUIET_HOURS": "off",
        "WINBACK_CONTACT__LAW": "off",
        "WINBACK_WORKER__POOL": "threads",
        "WINBACK_WORKER__CONCURRENCY": "2",
    }
    settings, lines = load(env), Lines()
    state = runtime.open_state(settings)
    state.streams.first.create_group()
    (recover,) = (role for role in roles(settings, env) if role.name == "recover")
    with Supervisor([recover], output=lines, policy=AT_ONCE) as supervisor:
        supervisor.wait_until(lambda: " ready." in "".join(lines.of("recover")), 60)
        yield Target(state, supervisor, lines)
    state.client.close()
