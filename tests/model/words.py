"""A trace in words: each of its steps."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tests.model.search import Step

_POST = {
    "accepted": "posts outreach {0} (claim {1}): the API accepts it",
    "accepted_but_lost": "posts outreach {0} (claim {1}): the API accepts it, and the reply gets lost",
    "lost": "posts outreach {0} (claim {1}): the request gets lost, and it cannot tell",
    "undecided": "posts outreach {0} (claim {1}): no reply in time, the API will decide later",
    "rejected": "posts outreach {0} (claim {1}): the API rejects it",
    "unavailable": "posts outreach {0} (claim {1}): the API is not available",
    "not_sent": "finds that it is too late to post outreach {0} (claim {1})",
}
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "publish": "session {0}: {1} reaches the stream",
        "apply": "ingest applies event {0}",
        "mark": "ingest marks the person of event {0}",
        "acknowledge": "ingest deletes event {0} from the stream",
        "ingest_crashes": "ingest dies, or event {0} is delivered again",
        "claim": "the sweep finds session {0} silent and makes an outreach",
        "lease_due": "dispatch leases outreach {0} and sends a message",
        "lease_ends": "the lease of outreach {0} runs out",
        "reap": "dispatch reaps outreach {0}",
        "take": "a message of outreach {0} reaches a worker, which takes it",
        "retry": "an operator retries outreach {0}",
        "resolve_sent": "an operator records that outreach {0} did arrive",
        "expire": "an operator expires outreach {0}",
        "forget": "session {0} is forgotten",
        "forget_person": "the keys of person {0} are removed",
        "reservation_ages": "the reservations of person {0} become older than a lease",
    }
)
_WORKERS: Mapping[str, str] = MappingProxyType(
    {
        "postpone": "postpones",
        "end_unsent": "ends unsent",
        "fence": "calls the fence for",
        "reserve": "reserves the person of",
        "release": "releases the person of",
        "settle": "settles",
    }
)


def words(step: Step) -> str:
    """Return one step in words."""
    name, arguments = step
    if name == "api_decides":
        return f"the API {'accepts' if arguments[1] else 'drops'} the request of outreach {arguments[0]} after all"
    if name == "post":
        return "the worker " + _POST[str(arguments[2])].format(*arguments)
    if name == "worker_dies":
        return f"the worker with outreach {arguments[0]} (claim {arguments[1]}) dies"
    if name in _WORKERS:
        how = f" as {arguments[2]}" if len(arguments) > 2 else ""
        return f"the worker {_WORKERS[name]} outreach {arguments[0]} (claim {arguments[1]}){how}"
    return _WORDS[name].format(*arguments)


def story(trace: Iterable[Step]) -> str:
    """Return a trace in words, one line for each step."""
    return "\n".join(f"{number:4}. {words(step)}" for number, step in enumerate(trace, 1))
