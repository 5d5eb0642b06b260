"""Values of any type: few modules name `Any`, and the others take the results of these."""

import ast

from tests.project.test_sizes import ROOT

PACKAGES = ("detectors", "state", "storefronts", "tasks", "thresholds", "winback", "worker")
UNTYPED = {
    "detectors/json_values.py",  # JSON
    "state/driver.py",  # redis-py
    "tasks/kombu_types.py",  # kombu, Celery and Flower
    "winback/tuning/plots.py",  # matplotlib, which is optional
    "winback/candidates/compare_plot.py",  # as above
    "winback/candidates/plot.py",  # as above
}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def names_any(text: str) -> bool:
    imported = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    return any(name.name == "Any" for node in imported if node.module == "typing" for name in node.names)


def test_only_the_modules_of_untyped_libraries_name_any() -> None:
    """To fix: take `object`, a protocol, a type variable, or a type of one of these modules."""
    found = {path.relative_to(ROOT).as_posix() for path in FILES if names_any(path.read_text(encoding="utf-8"))}
    assert found == UNTYPED
