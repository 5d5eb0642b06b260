"""All keys in Redis: name, hash tag and time to live (ms).

All data of one session has the tag of its partition, and all data of one person has that person's tag. So each script
touches one slot and works unchanged on Redis Cluster. Scripts get the prefix of a partition or person as their only key
and add the rest. The names below are the same as in `state/lua/`.
"""

from dataclasses import dataclass

from state.outcome_keys import OutcomeKeys
from state.partitions import partition_of, partition_of_outreach

MOST_STREAMS = 64

DAY_MS = 24 * 3600 * 1000
SESSION_TTL_MS = 7 * DAY_MS
OUTREACH_TTL_MS = 30 * DAY_MS
REJECTED_TTL_MS = REFUSALS_TTL_MS = 7 * DAY_MS
BACKLOG_TTL_MS = 60 * 1000
REJECTED_MAX_ENTRIES = 10_000
STATS_TTL_MS = 400 * DAY_MS
SILENCES_TTL_MS = 42 * DAY_MS
HEARTBEAT_TTL_MS = DAY_MS
ALARMS_TTL_MS = 7 * DAY_MS
LAST_ERASURE_TTL_MS = DAY_MS
LINK_TTL_MS = 365 * DAY_MS
FOREIGN_TTL_MS = 5 * 60 * 1000
ANSWER_TTL_MS = 30 * DAY_MS
"""How long a person's approval is kept: the same time as the records of contacts that depend on it. A refusal from
before the approval that arrives later than this would count. A refusal is kept until it is withdrawn."""


def applied_of(stream: str) -> str:
    """Hash: the number of applied entries of a stream (by its key), and the time its ids were last reset to now.

    The key is in the slot of the stream.
    """
    return f"{stream.partition(':')[0]}:applied:{{{stream}}}"


def recording_of(stream: str) -> str:
    """Stream, capped: applied entries of a stream (by its key) for the recorder, in its slot (10 minutes)."""
    return f"{stream.partition(':')[0]}:recording:{{{stream}}}"


@dataclass(frozen=True, slots=True)
class Keys(OutcomeKeys):
    """The names of all keys under one namespace."""

    def events_of(self, number: int) -> str:
        """Stream: activity that isn't applied yet. The first one has number 0 and a name without it."""
        return f"{self.namespace}:events:{number}" if number else self.events

    @property
    def events(self) -> str:
        """Stream: the first of these, which every deployment has."""
        return f"{self.namespace}:events"

    @property
    def rejected(self) -> str:
        """Stream, capped: the reasons why events, or parts of them, were rejected."""
        return f"{self.namespace}:rejected"

    @property
    def deployment(self) -> str:
        """Hash: the settings that all processes must share."""
        return f"{self.namespace}:deployment"

    @property
    def sweep(self) -> str:
        """Hash: what sweeps record for later sweeps. Times are Unix ms.

        `last`: the start of the last sweep; `interval`: the sweep interval (ms); `sign`: the last time at which events
        could be accepted; `apart`: the last pauses between these times (ms); `reopened`: the end of the last gap;
        `silent`: the last event, while the whole shop is silent; `trail.<stream>`: see `state.watermark.Trail`;
        `ahead`: the time when ids were ahead of the clock, the difference, the stream and the last id;
        `missing.<stream>`, `lost` and `lost_at`: entries that were removed before they were applied.
        """
        return f"{self.namespace}:sweep"

    @property
    def problems(self) -> str:
        """Hash: current problems, such as an unusable settings file."""
        return f"{self.namespace}:problems"

    @property
    def orders(self) -> str:
        """Hash: the time of the last order, and the verdict on the sessions since."""
        return f"{self.control}orders"

    @property
    def progress(self) -> str:
        """Hash: step of detection or sending → its last time (ms), and the thresholds of the last sweep."""
        return f"{self.control}progress"

    @property
    def thresholds(self) -> str:
        """Hash: the settings of detection that the sweep applies, their sources, and the time since then (ms)."""
        return f"{self.control}thresholds"

    def orders_of(self, day: int) -> str:
        """Hash: sessions that reached the checkout on a day (since 1970-01-01, UTC) and orders, by hour (15 days)."""
        return f"{self.control}orders:{day}"

    @property
    def checkouts(self) -> str:
        """Sorted set: a number for each session → when it reached the checkout; negative: when it ordered (1 day)."""
        return f"{self.control}checkouts"

    @property
    def flow(self) -> str:
        """Hash: time of the last event (ms; 30 days). Keys below it count events by minute (`state.event_flow`)."""
        return f"{self.control}flow"

    @property
    def last_erasure(self) -> str:
        """Text that changes with each erasure by `winback forget` (1 day)."""
        return f"{self.control}last_erasure"

    @property
    def backlog(self) -> str:
        """Hash: the number of messages that block dispatch, and their first time (ms); 1 minute after the last one."""
        return f"{self.control}backlog"

    @property
    def refused(self) -> str:
        """Hash: reason why workers refused broker messages → their number, and the last time (7 days after it)."""
        return f"{self.control}refused"

    @property
    def monitor_lock(self) -> str:
        """Text: the process that holds the monitor lock (some seconds)."""
        return f"{self.namespace}:monitor_lock"

    @property
    def alarms(self) -> str:
        """Hash: alarm → its beginning, the time it was last logged, and its level (7 days after the last one)."""
        return f"{self.namespace}:alarms"

    def heartbeat(self, role: str) -> str:
        """Hash: process of a role → its last heartbeat (ms)."""
        return f"{self.namespace}:heartbeat:{role}"

    def announced(self, role: str) -> str:
        """Hash: process of a role → its last announcement of its settings (ms), and the settings as JSON (1 day)."""
        return self.heartbeat(f"about.{role}")

    @property
    def workers(self) -> str:
        """Hash: recover worker → its last declaration (ms), and the declared mode and endpoint (1 day)."""
        return f"{self.control}workers"

    @property
    def foreign(self) -> str:
        """Hash: the last time a worker got an outreach that isn't in this namespace (5 minutes)."""
        return f"{self.control}foreign"

    def partition(self, number: int) -> str:
        """Prefix of all keys of a partition."""
        return f"{self.namespace}:{{{number:02d}}}:"

    def person(self, person: str) -> str:
        """Prefix of all keys of a person, identified by the HMAC of a phone number or an e-mail address.

        Under it, with "linked" for marks from an identity that was seen together with this one:

        - `bought`, `bought_linked`: text, the last purchase (ms); until `contact.purchase_cooldown` after it
        - `opted_out`: hash, source (`shop`, `operator`, `linked`, or a register) → when (ms); kept indefinitely
        - `consent`: hash, channel, or `linked.` and the channel → latest answer with its proof; 30 days, and
          indefinitely while one of them is a refusal
        - `payment`: hash, `stated` or `latest`, or `linked.` and that → the state of a payment; until it ends, at least
          a day
        - `reserved`: hash, outreach → `token:time` (ms); the longest limit and a lease
        - `contacts`: see there
        - `experiment`: hash, experiment → the outreach for which the person counts in it; 180 days
        - `sessions`: sorted set, session → when the person was named in it (ms); 7 days after the last
        - `links`: sorted set, person → when both were seen together (ms); 365 days after the last
        - `forgotten`: text, the time of the erasure by `winback forget` (ms); 10 minutes
        """
        return f"{self.namespace}:{{person:{person}}}:"

    def source(self, source: str) -> str:
        """Prefix of the visitors of a source without session ids. All keys expire 7 days after the last event.

        Ids of the source are kept as keyed hashes. Under it:

        - `visitor:VISITOR`: hash, the visitor's session, last place in the flow, last order (ms) and its session;
          until a session begins, also fields of the customer
        - `paid:SESSION`: text, when the session's last order occurred (ms), and when its cart was used again after it
        - `user:USER`: text, the visitor that was last seen with that user
        - `alias:ID`: text, the session of a cart, checkout or order
        - `waiting`: sorted set, visitor with fields of the customer → when they expire (ms)
        """
        return f"{self.namespace}:{{source:{source}}}:"

    @property
    def registers(self) -> str:
        """Hash: register of people who opted out → its last import (ms), and its number of entries."""
        return f"{self.namespace}:registers"

    def sessions(self, person: str) -> str:
        """Sorted set: session in which a person was named → the last time (ms)."""
        return f"{self.person(person)}sessions"

    def links(self, person: str) -> str:
        """Sorted set: person seen together with this one → the last time (ms)."""
        return f"{self.person(person)}links"

    def contacts(self, person: str) -> str:
        """Hash: outreach that was about to reach a person → the time (ms), and the value of its cart."""
        return f"{self.person(person)}contacts"

    def session(self, session_id: str) -> str:
        """Hash: one session."""
        return f"{self.partition(partition_of(session_id))}session:{session_id}"

    def lane(self, number: int, lane: str) -> str:
        """Sorted set: session → silent since (ms)."""
        return f"{self.partition(number)}lane:{lane}"

    def due(self, number: int) -> str:
        """Sorted set: outreach → its due time (ms)."""
        return f"{self.partition(number)}due"

    def clock(self, number: int) -> str:
        """Hash: `due`: when it last stored a due time (ms); `zone`, its `offset` (ms); `lost` outcomes; `tuning`."""
        return f"{self.partition(number)}clock"

    def leased(self, number: int) -> str:
        """Sorted set: outreach → the end of its lease (ms)."""
        return f"{self.partition(number)}leased"

    def outreach(self, outreach_id: str) -> str:
        """Hash: one outreach."""
        return f"{self.partition(partition_of_outreach(outreach_id))}outreach:{outreach_id}"

    def body(self, outreach_id: str) -> str:
        """Text: the request of an unknown outreach, until it can no longer be repeated (24 h at most)."""
        return f"{self.partition(partition_of_outreach(outreach_id))}body:{outreach_id}"

    def stats(self, number: int, day: int) -> str:
        """Hash: the counters of one day of `report.time_zone`, in days since 1970-01-01."""
        return f"{self.partition(number)}stats:{day}"

    def silences(self, number: int, day: int, rank: int) -> str:
        """Hash: counters of silences that began on a UTC day, by stage and platform, without ids (42 days after it)."""
        return f"{self.partition(number)}tune:{day}:{rank}"
