"""The panels of the dashboard for operations."""

from reference_pages.panels import Dashboard, Panel, Query, Row

_DOCTOR = "Run `winback doctor`: it names the cause and the fix."
_STATE = Row(
    "State",
    (
        Panel(
            title="State server",
            shows="Whether Redis or Valkey answers.",
            healthy="1.",
            otherwise="Start it. Events wait in their streams, and collectors keep theirs on disk.",
            queries=(Query("winback_up"),),
            kind="stat",
            width=4,
            limit=1,
            below="red",
            above="green",
            none="no metrics",
        ),
        Panel(
            title="Sending",
            shows="Whether requests are sent, or why they aren't.",
            healthy="on.",
            otherwise="`winback status` says why. `winback resume` tries again at once.",
            queries=(Query("winback_sending == 1", "{{state}}"),),
            kind="stat",
            width=4,
            names=True,
            none="unknown",
        ),
        Panel(
            title="Alarms",
            shows="Problems that raise an alarm.",
            healthy="none.",
            otherwise=_DOCTOR,
            queries=(Query("winback_alarm == 1", "{{alarm}}"),),
            kind="stat",
            width=8,
            limit=1,
            names=True,
            none="none",
        ),
        Panel(
            title="Memory of the state server",
            shows="The part of `maxmemory` that is used.",
            healthy="under 80 %.",
            otherwise="Raise `maxmemory`. A full server takes no events.",
            queries=(Query("winback_server_memory_bytes / (winback_server_memory_limit_bytes > 0)"),),
            kind="stat",
            unit="percentunit",
            width=4,
            limit=0.8,
            none="no limit",
        ),
        Panel(
            title="For an operator",
            shows="Outreaches that ended as `dead` or `unknown` and that no person has closed.",
            healthy="0.",
            otherwise="Decide on them with `winback dead list` and `winback unknown list`.",
            queries=(Query('sum(winback_outreaches{state=~"dead|unknown"})'),),
            kind="stat",
            width=4,
            limit=1,
            above="orange",
        ),
    ),
)
_EVENTS = Row(
    "Events",
    (
        Panel(
            title="Events by type",
            shows="Events per minute.",
            healthy="the shop's usual course of a day.",
            otherwise="A type that is missing means that the shop stopped reporting it.",
            queries=(Query("sum by (type) (winback_events_per_minute)", "{{type}}"),),
        ),
        Panel(
            title="Last event",
            shows="Time since an event arrived.",
            healthy="seconds, in an open shop.",
            otherwise="Look at the shop, then at the collector. See the alarm `arrivals`.",
            queries=(Query("winback_events_last_seconds"),),
            unit="s",
        ),
        Panel(
            title="Not applied yet",
            shows="Events in the streams, and events that ingest has read.",
            healthy="near 0.",
            otherwise="Start another ingest, or see why it stopped.",
            queries=(Query("winback_events_waiting", "waiting"), Query("winback_events_pending", "read")),
        ),
        Panel(
            title="Age of the oldest event",
            shows="How long the oldest event has waited to be applied.",
            healthy="under a second. While it is more, shoppers aren't contacted too early, but later.",
            otherwise="Start another ingest.",
            queries=(Query("winback_events_lag_seconds"),),
            unit="s",
            limit=10,
        ),
        Panel(
            title="From event to arrival",
            shows="Median time from `occurred_at` to the arrival, last hour.",
            healthy="a few seconds.",
            otherwise="The shop sends events in batches or late, or its clock is wrong.",
            queries=(Query("winback_events_lateness_seconds"),),
            unit="s",
        ),
        Panel(
            title="Unreadable or lost",
            shows="Events of the last hour that were rejected or applied in part, and events removed before they were "
            "applied.",
            healthy="0.",
            otherwise="See the reasons with `winback rejected`. Lost events mean that a stream was trimmed.",
            queries=(
                Query("winback_events_unreadable", "{{part}}"),
                Query("increase(winback_events_lost_total[1h])", "lost"),
            ),
            limit=1,
            above="orange",
        ),
    ),
)
_OUTREACHES = Row(
    "Detection and sending",
    (
        Panel(
            title="Waiting sessions",
            shows="Sessions that haven't reached their threshold, by stage.",
            healthy="the shop's usual course of a day.",
            otherwise="Many that wait for long belong to a stage with a long threshold.",
            queries=(Query("sum by (stage) (winback_sessions_waiting)", "{{stage}}"),),
        ),
        Panel(
            title="Detection is late by",
            shows="How long the first session that no sweep has claimed has been past its threshold.",
            healthy="under `detection.sweep_interval`.",
            otherwise="See whether beat and sweep run.",
            queries=(Query("winback_sessions_overdue_seconds"),),
            unit="s",
            limit=60,
        ),
        Panel(
            title="Last round",
            shows="Time since the last sweep began, and since the last dispatch ended.",
            healthy="under twice the intervals.",
            otherwise="See whether beat, sweep and recover run.",
            queries=(
                Query("winback_last_sweep_seconds", "sweep"),
                Query("winback_last_dispatch_seconds", "dispatch"),
            ),
            unit="s",
        ),
        Panel(
            title="Outreaches",
            shows="Outreaches in the outbox, by state.",
            healthy="few that are due now. `due_later` grows during quiet hours.",
            otherwise="Start another recover, or see why requests fail.",
            queries=(Query("winback_outreaches", "{{state}}"),),
        ),
        Panel(
            title="Oldest due outreach",
            shows="How long the first outreach has been due.",
            healthy="under a minute.",
            otherwise="Start another recover. An outreach that is too old expires without a contact.",
            queries=(Query("winback_outreaches_oldest_due_seconds"),),
            unit="s",
            limit=300,
        ),
        Panel(
            title="Failed requests in a row",
            shows="Consecutive requests to the Recovery Agent that failed.",
            healthy="0.",
            otherwise="See the state of sending, and Yuno's status.",
            queries=(Query("winback_sending_failures"),),
            limit=5,
        ),
    ),
)
_PROCESSES = Row(
    "Processes",
    (
        Panel(
            title="Processes by role",
            shows="Processes that aren't silent.",
            healthy="as many as you run.",
            otherwise="Read the log of the role that is missing.",
            queries=(Query("winback_role_processes", "{{role}}"),),
        ),
        Panel(
            title="Messages that wait",
            shows="Messages in the broker that wait for workers.",
            healthy="near 0.",
            otherwise="Start another recover.",
            queries=(Query("winback_messages_waiting", "waiting"),),
        ),
        Panel(
            title="Refused messages",
            shows="Messages from the broker that workers refused, until 7 days after the last.",
            healthy="0.",
            otherwise="Another program writes into the broker. See who can reach it.",
            queries=(Query("sum by (reason) (winback_messages_refused) > 0", "{{reason}}"),),
        ),
    ),
)
_COLLECTOR = Row(
    "Collector, feed and privacy",
    (
        Panel(
            title="Requests of the collector",
            shows="Requests, events and refused requests per second.",
            healthy="few refused ones.",
            otherwise="`winback collect setup` names the causes of refusals.",
            queries=(
                Query("sum(rate(winback_collector_requests_total[5m]))", "requests"),
                Query("sum(rate(winback_collector_events_total[5m]))", "events"),
                Query("sum(rate(winback_collector_refused_total[5m]))", "refused"),
            ),
            unit="reqps",
        ),
        Panel(
            title="Collector is behind by",
            shows="How long ago the first event was accepted that isn't in a stream. "
            "Silence doesn't count during that time.",
            healthy="under a second.",
            otherwise="Redis doesn't take events. They are kept on disk.",
            queries=(Query("winback_collector_behind_seconds", "{{collector}}"),),
            unit="s",
            limit=60,
        ),
        Panel(
            title="Spool",
            shows="Events on the collector's disk, and bytes that couldn't be read.",
            healthy="0.",
            otherwise="At `collect.spool_limit_mb`, the collector refuses events. Damage stops contacts for a while.",
            queries=(
                Query("winback_collector_spool_bytes", "{{collector}}"),
                Query("winback_collector_damaged_bytes > 0", "damaged, {{collector}}"),
            ),
            unit="bytes",
        ),
        Panel(
            title="Webhooks of outcomes",
            shows="Requests per minute, and outcomes that were dropped.",
            healthy="none failed or dropped.",
            otherwise="See the log of the role `outcomes`, and the receiver.",
            queries=(
                Query("60 * rate(winback_webhooks_sent_total[5m])", "sent"),
                Query("60 * rate(winback_webhooks_failed_total[5m])", "failed"),
                Query("60 * rate(winback_webhooks_dropped_total[5m])", "dropped"),
            ),
        ),
        Panel(
            title="Unread outcomes",
            shows="Outcomes in the feed that a consumer group hasn't read.",
            healthy="near 0.",
            otherwise="The group's reader is down. The feed drops the oldest outcomes in the end.",
            queries=(Query("winback_feed_unread", "{{group}}"),),
        ),
        Panel(
            title="Privacy requests",
            shows="Open requests to erase or to hand out data.",
            healthy="0 that failed.",
            otherwise="See `winback collect requests`.",
            queries=(Query("winback_privacy_requests", "{{kind}}"),),
        ),
        Panel(
            title="Recording",
            shows="Events per minute that the recorder wrote to files, and those that never reach one.",
            healthy="none lost.",
            otherwise="See the disk of the recorder, and whether one runs.",
            queries=(
                Query("60 * rate(winback_recording_events_total[5m])", "recorded"),
                Query("60 * rate(winback_recording_lost_total[5m])", "lost"),
            ),
        ),
    ),
)
OPERATIONS = Dashboard(
    "winback-operations",
    "Winback: operations",
    "Whether Winback works: events, detection, sending, processes.",
    "now-6h",
    (_STATE, _EVENTS, _OUTREACHES, _PROCESSES, _COLLECTOR),
)
