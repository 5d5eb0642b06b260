"""The panels of the dashboard for the business."""

from reference_pages.panels import Dashboard, Panel, Query, Row

_REASONS = "`winback reasons` explains each reason."


def _today(title: str, shows: str, expression: str, healthy: str, otherwise: str) -> Panel:
    return Panel(
        title=title,
        shows=shows,
        healthy=healthy,
        otherwise=otherwise,
        queries=(Query(expression),),
        kind="stat",
        width=4,
    )


_DAY = Row(
    "Today",
    (
        _today(
            "Silent sessions",
            "Sessions found past their threshold.",
            "sum(winback_sessions_silent_total)",
            "the shop's usual number.",
            "None at all: see the dashboard for operations.",
        ),
        _today(
            "Contacts",
            "People that were contacted, or may have been.",
            "winback_contacts_total",
            "what your team and Yuno's contract expect.",
            "Compare the reasons below.",
        ),
        _today(
            "Returned or paid first",
            "Silent sessions that returned or paid before any contact.",
            'sum(winback_outcomes_total{outcome="cancelled",reason=~"came_back|paid"})',
            "a small part of the silent sessions.",
            "Many: the threshold is too short. Use `winback tune`.",
        ),
        _today(
            "Orders after a contact",
            "Orders within `contact.attribution_window`. Some of them would have come without a contact.",
            "winback_recovered_orders_total",
            "more, per person, than in the holdout.",
            "`winback report` compares both.",
        ),
        _today(
            "Orders of the holdout",
            "Orders of people held out, within the same window.",
            "winback_holdout_orders_total",
            "not 0, if `contact.holdout` is set.",
            "Without a holdout, what contacts earn can't be told.",
        ),
        Panel(
            title="Value after a contact",
            shows="Value of the orders after a contact, by currency.",
            healthy="the shop's usual order value, for each order.",
            otherwise="Orders without a total count as orders only.",
            queries=(Query("winback_recovered_value_total", "{{currency}}"),),
            kind="stat",
            width=4,
            none="none",
        ),
    ),
)
_TIME = Row(
    "By hour",
    (
        Panel(
            title="Silent sessions by stage",
            shows="Sessions found past their threshold, per hour.",
            healthy="follows the shop's traffic.",
            otherwise="A stage without any isn't reported by the shop.",
            queries=(Query("sum by (stage) (increase(winback_sessions_silent_total[1h]))", "{{stage}}"),),
            width=12,
        ),
        Panel(
            title="Outcomes",
            shows="How silent sessions ended, per hour.",
            healthy="few `dead`, `unknown` and `expired`.",
            otherwise=_REASONS,
            queries=(Query("sum by (outcome) (increase(winback_outcomes_total[1h]))", "{{outcome}}"),),
            width=12,
        ),
        Panel(
            title="Contacts and orders",
            shows="Contacts, and orders after a contact, per hour.",
            healthy="orders follow contacts within hours.",
            otherwise="No orders for days: see whether `order_completed` events arrive.",
            queries=(
                Query("increase(winback_contacts_total[1h])", "contacts"),
                Query("increase(winback_recovered_orders_total[1h])", "orders"),
            ),
            width=12,
        ),
        Panel(
            title="Unreachable",
            shows="The part of the silent sessions of the last hour that lacks a name, a phone number or a country.",
            healthy="steady.",
            otherwise="A rise means that the shop stopped sending contact details. See the alarm `unreachable`.",
            queries=(
                Query(
                    'winback_sessions_last_hour{outcome="unreachable"}'
                    ' / ignoring(outcome) (winback_sessions_last_hour{outcome="silent"} > 0)',
                    "unreachable",
                ),
            ),
            unit="percentunit",
            width=12,
        ),
    ),
)
_WHY = Row(
    "Why people weren't contacted, today",
    (
        Panel(
            title="Suppressed",
            shows="By reason.",
            healthy="the rules that you set.",
            otherwise=_REASONS,
            queries=(Query('sort_desc(winback_outcomes_total{outcome="suppressed"} > 0)', "{{reason}}"),),
            kind="bargauge",
            width=12,
            none="none",
        ),
        Panel(
            title="Cancelled, expired or failed",
            shows="By outcome and reason.",
            healthy="mostly `came_back` and `paid`.",
            otherwise=_REASONS,
            queries=(
                Query(
                    'sort_desc(winback_outcomes_total{outcome=~"cancelled|expired|dead|unknown"} > 0)',
                    "{{outcome}} {{reason}}",
                ),
            ),
            kind="bargauge",
            width=12,
            none="none",
        ),
    ),
)
BUSINESS = Dashboard(
    "winback-business",
    "Winback: business",
    "What Winback does for the shop: silences, contacts, orders, and why people weren't contacted. Numbers of a day "
    "begin at midnight in report.time_zone. For results over longer times, with intervals, use winback report.",
    "now-24h",
    (_DAY, _TIME, _WHY),
)
