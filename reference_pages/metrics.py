"""The page of the metrics, from the calls that create them."""

import ast
import inspect
from collections.abc import Iterator

from worker.monitoring import business_metrics, flow_metrics, outcome_metrics, recorder_metrics
from worker.monitoring import metrics as source

_TYPES = {"gauge": "gauge", "gauges": "gauge", "counter": "counter"}


def metrics() -> str:
    """Return the table of all metrics, those of the event flow and the feed last."""
    rows = [f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in _metrics()]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])


def exported() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of each metric and its labels."""
    for name, _, labels, _ in _metrics():
        yield name, tuple(label.strip("`") for label in labels.split(", ") if label)


def _metrics() -> Iterator[tuple[str, str, str, str]]:
    trees = [
        ast.parse(inspect.getsource(module))
        for module in (source, flow_metrics, business_metrics, outcome_metrics, recorder_metrics)
    ]
    for function in (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)):
        texts = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_text(node.value)
        }
        for call in _calls(function):
            name, text, *more = call.args
            kind = _TYPES[ast.unparse(call.func)]
            labels = more[0] if ast.unparse(call.func) != "gauge" else ast.Tuple([])
            shown = ", ".join(f"`{each}`" for each in _labels(labels))
            full = ast.literal_eval(name) + ("_total" if kind == "counter" else "")
            yield full, kind, shown, texts.get(ast.unparse(text)) or ast.literal_eval(text)


def _calls(function: ast.FunctionDef) -> list[ast.Call]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and ast.unparse(node.func) in _TYPES]
    return sorted(calls, key=lambda call: call.lineno)


def _labels(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        named: tuple[str, ...] = getattr(source, node.id)
        return named
    return tuple(ast.literal_eval(each) for each in node.elts) if isinstance(node, ast.Tuple) else ()


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
