"""The Grafana dashboards: their panels, as the files that Grafana loads and as the page that explains them."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from detectors.json_values import JsonObject
from reference_pages.business_panels import BUSINESS
from reference_pages.operations_panels import OPERATIONS
from reference_pages.panels import Dashboard, Panel

FILES = Path("deploy/grafana/dashboards")
DASHBOARDS = (OPERATIONS, BUSINESS)
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_ROW_HEIGHT, _WIDTH = 1, 24
_HEIGHTS = {"stat": 4, "timeseries": 8, "bargauge": 8}
_SCHEMA = 39


def page(dashboard: Dashboard) -> str:
    """Return the tables that explain a dashboard's panels."""
    return "\n\n".join(_table(row.title, row.panels) for row in dashboard.rows)


def document(dashboard: Dashboard) -> JsonObject:
    """Return a dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["winback"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": dashboard.since, "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "annotations": {"list": []},
        "panels": list(_placed(dashboard)),
    }


def text_of(dashboard: Dashboard) -> str:
    """Return the file of a dashboard."""
    return json.dumps(document(dashboard), indent=2) + "\n"


def _table(title: str, panels: Sequence[Panel]) -> str:
    rows = [f"| {panel.title} | {panel.shows} | {_sentence(panel.healthy)} | {panel.otherwise} |" for panel in panels]
    return "\n".join([f"### {title}", "", "| panel | shows | healthy | otherwise |", "|---|---|---|---|", *rows])


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _placed(dashboard: Dashboard) -> Iterator[JsonObject]:
    """Yield rows and panels with their places, from left to right and from top to bottom."""
    number = top = 0
    for row in dashboard.rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": _ROW_HEIGHT, "w": _WIDTH, "x": 0, "y": top},
        }
        top, left, height = top + _ROW_HEIGHT, 0, 0
        for panel in row.panels:
            number += 1
            if left + panel.width > _WIDTH:
                top, left, height = top + height, 0, 0
            tall = _HEIGHTS[panel.kind]
            yield _panel(panel, number) | {"gridPos": {"h": tall, "w": panel.width, "x": left, "y": top}}
            left, height = left + panel.width, max(height, tall)
        top += height


def _panel(panel: Panel, number: int) -> JsonObject:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": " ".join(filter(None, (panel.shows, f"Healthy: {panel.healthy}", panel.otherwise))),
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
            }
            for place, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    }


def _field(panel: Panel) -> JsonObject:
    steps: list[JsonObject] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps = [{"color": panel.below, "value": None}, {"color": panel.above, "value": panel.limit}]
    field: JsonObject = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        line = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
        if panel.limit is not None:
            line["thresholdsStyle"] = {"mode": "dashed"}
        field["custom"] = line
    elif panel.none:
        field["noValue"] = panel.none
    return field


def _options(panel: Panel) -> JsonObject:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "bargauge":
        return {"reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic"}
    return {
        "reduceOptions": reduced,
        "textMode": "name" if panel.names else "auto",
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
    }


def main() -> None:
    """Write the files of the dashboards."""
    FILES.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        file = FILES / f"{dashboard.uid}.json"
        file.write_text(text_of(dashboard), encoding="utf-8")
        sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
