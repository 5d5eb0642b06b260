"""Every key in Redis: its name, its hash tag and its time to live (ms).

Everything of one session lies under the tag of its partition and everything of one person under that person's tag, so
that each script touches one slot and works on Redis Cluster unchanged. Scripts get the prefix of a partition or person
as their only key and add the rest themselves; the names below are the same as those in `state/lua/`.
"""

import re
from dataclasses import dataclass
from zlib import crc32

PARTITIONS = 64
MOST_STREAMS = 64

DAY_MS = 24 * 3600 * 1000
SESSION_TTL_MS = 7 * DAY_MS
OUTREACH_TTL_MS = 30 * DAY_MS
REJECTED_TTL_MS = 7 * DAY_MS
REFUSALS_TTL_MS = 7 * DAY_MS
BACKLOG_TTL_MS = 60 * 1000
REJECTED_MAX_ENTRIES = 10_000
STATS_TTL_MS = 400 * DAY_MS
HEARTBEAT_TTL_MS = DAY_MS
ALARMS_TTL_MS = 7 * DAY_MS
LAST_ERASURE_TTL_MS = DAY_MS
LINK_TTL_MS = 365 * DAY_MS
FOREIGN_TTL_MS = 5 * 60 * 1000
ANSWER_TTL_MS = 30 * DAY_MS
"""How long a person's approval is kept, at least as long as events may arrive late. A refusal is kept until it ends."""

OUTREACH_ID = re.compile(r"([0-9]{2})-[0-9a-f]{16}")


def partition_of(session_id: str) -> int:
    """Return the partition (0 to 63) that a session lives in."""
    return crc32(session_id.encode()) % PARTITIONS


def is_outreach_id(text: object) -> bool:
    """Whether something is the id of an outreach: two digits of its partition, a dash, 16 hexadecimal digits."""
    match = OUTREACH_ID.fullmatch(text) if isinstance(text, str) else None
    return match is not None and int(match[1]) < PARTITIONS


def partition_of_outreach(outreach_id: str) -> int:
    """Return the partition that an outreach's id names.

    Raises:
        ValueError: it is not an outreach's id.
    """
    if not is_outreach_id(outreach_id):
        raise ValueError(f"{outreach_id[:32]!r} is not the id of an outreach")
    return int(outreach_id[:2])


def applied_of(stream: str) -> str:
    """Hash: how many entries of a stream, given by its key, were applied, and when its ids were last put back to now.

    It lies in the slot of the stream.
    """
    return f"{stream.partition(':')[0]}:applied:{{{stream}}}"


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of all keys under one namespace."""

    namespace: str = "winback"

    def events_of(self, number: int) -> str:
        """Stream: activity that nobody has applied yet; the first one has the number 0 and a name without it."""
        return f"{self.namespace}:events:{number}" if number else self.events

    @property
    def events(self) -> str:
        """The first of these streams, which every deployment has."""
        return f"{self.namespace}:events"

    @property
    def rejected(self) -> str:
        """Stream, capped: why events, or parts of them, were set aside."""
        return f"{self.namespace}:rejected"

    @property
    def deployment(self) -> str:
        """Hash: what all processes must agree on."""
        return f"{self.namespace}:deployment"

    @property
    def sweep(self) -> str:
        """Hash: what sweeps must know of those before them. Times are Unix ms.

        `last`: when the last one began; `interval`: how often they are asked for (ms); `sign`: when events could be
        taken last; `apart`: how far apart the last such signs were (ms); `reopened`: when events could be taken again
        after the last gap; `silent`: the last event, while the whole shop is silent; `trail.<stream>`: see
        `state.watermark.Trail`; `ahead`: when ids were ahead of the clock, by how much, in which stream, the last id;
        `missing.<stream>`, `lost` and `lost_at`: entries that were removed before they were applied.
        """
        return f"{self.namespace}:sweep"

    @property
    def problems(self) -> str:
        """Hash: what is wrong at the moment, such as a settings file that cannot be used."""
        return f"{self.namespace}:problems"

    @property
    def control(self) -> str:
        """Prefix of what holds back all sending.

        `sending` is a hash, `daily_contacts:<day>` a hash of outreach → token (2 days), `last_erasure` a text, and
        `gaps` a sorted set: when orders came again after a time without any → when that began (30 days).
        """
        return f"{self.namespace}:{{control}}:"

    @property
    def orders(self) -> str:
        """Hash: when the last order arrived, and what was found of the sessions since."""
        return f"{self.control}orders"

    @property
    def progress(self) -> str:
        """Hash: step of detection or sending → when it happened last (ms), and the thresholds of the last sweep."""
        return f"{self.control}progress"

    def orders_of(self, day: int) -> str:
        """Hash: sessions that reached the checkout on a day (since 1970-01-01, UTC) and orders, by hour (15 days)."""
        return f"{self.control}orders:{day}"

    @property
    def checkouts(self) -> str:
        """Sorted set: a number for each session → when it reached the checkout, negative: when it ordered (1 day)."""
        return f"{self.control}checkouts"

    @property
    def last_erasure(self) -> str:
        """Text: another one after each removal by `winback forget` (1 day)."""
        return f"{self.control}last_erasure"

    @property
    def backlog(self) -> str:
        """Hash: how many messages hold dispatch back, and since when (ms); for a minute after that was last seen."""
        return f"{self.control}backlog"

    @property
    def refused(self) -> str:
        """Hash: why workers refused messages of the broker → how many, and when the last was (7 days after it)."""
        return f"{self.control}refused"

    @property
    def monitor_lock(self) -> str:
        """Text: the process whose turn it is to look for all others (some seconds)."""
        return f"{self.namespace}:monitor_lock"

    @property
    def alarms(self) -> str:
        """Hash: what is wrong → since when, when it was last told, and its level (7 days after the last one)."""
        return f"{self.namespace}:alarms"

    def heartbeat(self, role: str) -> str:
        """Hash: process of a role → when it last said that it lives (ms)."""
        return f"{self.namespace}:heartbeat:{role}"

    def announced(self, role: str) -> str:
        """Hash: process of a role → when it last announced its settings (ms), and what they are, as JSON (1 day)."""
        return self.heartbeat(f"about.{role}")

    @property
    def workers(self) -> str:
        """Hash: recover worker → when it last declared how it sends (ms), and how (1 day)."""
        return f"{self.control}workers"

    @property
    def collectors(self) -> str:
        """Hash: collector → up to when its events are in a stream (ms), when it was seen last, figures (7 days)."""
        return f"{self.control}collectors"

    @property
    def foreign(self) -> str:
        """Hash: when a worker was last handed an outreach that this namespace doesn't hold (5 minutes)."""
        return f"{self.control}foreign"

    def partition(self, number: int) -> str:
        """Prefix of everything in a partition."""
        return f"{self.namespace}:{{{number:02d}}}:"

    def person(self, person: str) -> str:
        """Prefix of everything known of a person, given as the HMAC of a phone number or an e-mail address.

        Under it, with "linked" for what was said by an identity that was seen together with this one:

        - `bought`, `bought_linked`: text, when they bought last (ms); until `contact.purchase_cooldown` after that
        - `opted_out`: hash, source (`shop`, `operator`, `linked`, or a register) → when (ms); kept indefinitely
        - `consent`: hash, channel, or `linked.` and the channel → latest answer with its proof; 30 days, and
          indefinitely while one of them is a refusal
        - `reserved`: hash, outreach → `token:when` (ms); the longest limit and a lease
        - `contacts`: see there
        - `sessions`: sorted set, session → when the person was named in it (ms); 7 days after the last
        - `links`: sorted set, person → when both were seen together (ms); 365 days after the last
        - `forgotten`: text, when `winback forget` removed them (ms); 10 minutes
        """
        return f"{self.namespace}:{{person:{person}}}:"

    @property
    def registers(self) -> str:
        """Hash: register of people who opted out → when it was last imported (ms), and how many entries it has."""
        return f"{self.namespace}:registers"

    def sessions(self, person: str) -> str:
        """Sorted set: session that a person was named in → when they last were (ms)."""
        return f"{self.person(person)}sessions"

    def links(self, person: str) -> str:
        """Sorted set: people seen together with this one → when they last were (ms)."""
        return f"{self.person(person)}links"

    def contacts(self, person: str) -> str:
        """Hash: outreach that was about to reach a person → when (ms), and what its cart was worth."""
        return f"{self.person(person)}contacts"

    def session(self, session_id: str) -> str:
        """Hash: one session."""
        return f"{self.partition(partition_of(session_id))}session:{session_id}"

    def lane(self, number: int, lane: str) -> str:
        """Sorted set: session → silent since (ms)."""
        return f"{self.partition(number)}lane:{lane}"

    def due(self, number: int) -> str:
        """Sorted set: outreach → when it is due (ms)."""
        return f"{self.partition(number)}due"

    def clock(self, number: int) -> str:
        """Hash: `due`: when the partition last stored a due time (ms)."""
        return f"{self.partition(number)}clock"

    def leased(self, number: int) -> str:
        """Sorted set: outreach → when its lease ends (ms)."""
        return f"{self.partition(number)}leased"

    def outreach(self, outreach_id: str) -> str:
        """Hash: one outreach."""
        return f"{self.partition(partition_of_outreach(outreach_id))}outreach:{outreach_id}"

    def body(self, outreach_id: str) -> str:
        """Text: the request of an outreach that is unknown, for as long as it may be repeated (24 h at most)."""
        return f"{self.partition(partition_of_outreach(outreach_id))}body:{outreach_id}"

    def stats(self, number: int, day: int) -> str:
        """Hash: the counters of one day, given in days since 1970-01-01 (UTC)."""
        return f"{self.partition(number)}stats:{day}"
