"""The page of the log events, from the calls that write them. This module has the meaning of each event."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("detectors", "state", "storefronts", "tasks", "winback", "worker")
_LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
_LOGGERS = {"log", "_log()", "logger", "_logger"}

MEANINGS = {
    "alarm": "A check fails: `alarm` names it, `text` describes the problem, `hint` the fix.",
    "alarm_firing": "A failing check is still failing, or has become worse.",
    "alarm_resolved": "A check passes again. `for_s`: seconds since the alarm.",
    "attempt": "An attempt at an outreach ended. `reply`: status and duration of the request, if there was one.",
    "attempt_crashed": "An attempt ended in an unexpected error. The outreach is tried again after its lease.",
    "attempt_failed": "Redis failed during an attempt. The outreach is tried again after its lease.",
    "broker_unreachable": "Dispatch couldn't enqueue messages. Leased outreaches are due again after their lease.",
    "clock_jumped": "The clock of beat's host was set. Beat keeps its intervals.",
    "clock_put_back": "The clock of the Redis server was put back. Stored times in the future were moved.",
    "collector_not_removed": "A collector stopped, but couldn't tell Redis that it holds no events.",
    "commit_failed": "Accepted events couldn't be stored because of an unexpected error.",
    "daily_limit_reached": "`delivery.max_per_day` is used up.",
    "detection_settings_unusable": "An edit of `[detection]` can't be used. The earlier thresholds stay in force.",
    "dispatch_failed": "Redis failed during a dispatch round.",
    "dispatch_held": "Nothing is dispatched because a collector holds undelivered events.",
    "dispatched": "A dispatch round enqueued outreaches, or found expired leases.",
    "encryption_key_missing": "Data is encrypted under a key that this process lacks.",
    "entries_claimed": "Ingest took over events of another process that hasn't applied them.",
    "erasures_failed": "Erasures couldn't be started because Redis didn't answer.",
    "erasure_failed": "An erasure that a shop asked for failed. It runs again later: `winback collect requests`.",
    "erasure_requested": "A shop asks to erase a person. A worker does so within a minute.",
    "event_quarantined": "An event was delivered too often without being applied, and is now in the rejected list.",
    "events_lost": "Events were removed from a stream before they were applied.",
    "events_rejected": "Events couldn't be read, in whole or in part, with the reasons. At most one line a minute.",
    "group_created": "The consumer group of the event streams was created.",
    "identity_shared": "A contact field was seen with too many other people and no longer identifies a person.",
    "ids_put_back": "The ids of an event stream were ahead of the clock. The empty stream was created again.",
    "memory_limit_reached": "A worker with threads uses too much memory. It ends after its attempts.",
    "messages_refused": "Workers refused messages or commands of the broker.",
    "multiple_streams": "Ingest reads more than one event stream.",
    "not_an_outreach": "A task's argument isn't the id of an outreach.",
    "not_fenced": "Too few replicas confirmed the fence, so no request was sent.",
    "not_reserved": "Too few replicas confirmed the reservation, so no request was sent.",
    "orders_resumed": "An order arrived after a time without any.",
    "person_erased": "A person was erased as a shop had asked.",
    "privacy_request": "A shop asks for a copy of a person's data, or to erase a whole shop. You have to do it.",
    "outcomes_lost": "Outcomes didn't reach the feed, because a partition's set of them was full.",
    "ready": "The process serves or reads from now on.",
    "relay_failed": "Outcomes couldn't be moved to the feed. The next round repeats it. Logged once while it lasts.",
    "replicas": "How many replicas must acknowledge an attempt.",
    "report_failed": "A collector couldn't report or deliver its spool because of an unexpected error. It tries again.",
    "request_failed": "A request to the collector ended in an unexpected error and got 500.",
    "sending_held": "Sending is blocked until a condition changes.",
    "sending_paused": "An operator paused sending.",
    "sending_resumed": "Sending resumes.",
    "sending_stopped": "Requests fail or Yuno refuses the keys. One outreach is probed periodically.",
    "sends": "A worker's delivery mode is in force.",
    "shop_events_resumed": "Events arrive again after `detection.max_silence`.",
    "shop_silent": "No events arrived for `detection.max_silence`. Detection waits.",
    "spool_damaged": "Records of the spool can't be read and were quarantined, or lost if `kept_in` is empty.",
    "spool_delivered": "All events of the spool are in the streams.",
    "spool_taken_over": "A collector found undelivered events of its last run.",
    "spool_torn": "A record that wasn't written completely was removed. Its events were never acknowledged.",
    "spool_write_failed": "The disk refused a record. The requests got 503.",
    "stall_check_failed": "The check for a stalled worker failed.",
    "state_reachable": "The Redis server answers again.",
    "state_unreachable": "The Redis server doesn't answer.",
    "stopped": "The process ended in order.",
    "sweep_failed": "Redis failed during a sweep.",
    "sweep_interval_changed": "Beat uses a new sweep interval.",
    "swept": "A sweep claimed silent sessions.",
    "threshold_changed": "The sweep applies a new value of a setting in `[detection]`: `setting`, `old` and `new`.",
    "watch_failed": "The alarm monitor failed in one round.",
    "webhook_dropped": "An outcome won't be sent as a webhook any more, for this `reason`.",
    "event_not_recorded": "The recorder left out an event that it failed on. This is a bug: report it.",
    "recording_again": "The recorder writes again after it couldn't.",
    "webhooks_accepted_again": "The receiver of webhooks accepted a request after one had failed.",
    "webhooks_failing": "The receiver of webhooks didn't accept a request. It is repeated.",
    "webhooks_refused": "The receiver of webhooks answered 410 Gone. No more are sent until `winback outcomes resume`.",
    "worker_mismatch": "The data belongs to another version of Winback. This worker doesn't act.",
    "workers_disagree": "Workers run in different modes or for different endpoints. No worker acts.",
}
"""Each event → its meaning. A new event needs a line here: `make check` fails without one."""


class Event(NamedTuple):
    """One log event, with the fields of all its calls."""

    name: str
    level: str
    fields: tuple[str, ...]


def log_events() -> str:
    """Return the table of all events, by name."""
    found: dict[str, Event] = {}
    for event in sorted(emitted()):
        known = found.get(event.name, event)
        fields = dict.fromkeys((*known.fields, *event.fields))
        levels = dict.fromkeys((*known.level.split(", "), event.level))
        found[event.name] = Event(event.name, ", ".join(levels), tuple(fields))
    rows = [
        f"| `{each.name}` | {each.level} | {MEANINGS[each.name]} | {', '.join(f'`{name}`' for name in each.fields)} |"
        for each in found.values()
    ]
    return "\n".join(["| event | level | meaning | fields |", "|---|---|---|---|", *rows])


def emitted() -> Iterator[Event]:
    """Yield the event of each call of a logger that is in the packages."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            constants = {
                node.targets[0].id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            }
            yield from _events(tree, constants)


def _events(tree: ast.Module, constants: dict[str, str]) -> Iterator[Event]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        if call.func.attr not in _LEVELS or ast.unparse(call.func.value) not in _LOGGERS:
            continue
        fields = tuple(keyword.arg for keyword in call.keywords if keyword.arg and keyword.arg != "exc_info")
        for name in _names(call.args[0], constants):
            yield Event(name, call.func.attr, fields)


def _names(node: ast.expr, constants: dict[str, str]) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*_names(node.body, constants), *_names(node.orelse, constants)]
    return [constants.get(ast.unparse(node), ast.unparse(node).lower())]
