"""The guides for extensions are true: a copy of the code is extended as they say, and its own tests pass."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import ROOT, marked

GUIDES = ROOT / "docs" / "guides"
COPIED = ("detectors", "state", "tasks", "winback", "worker", "tests", "reference_pages", "docs")
FILES = ("pyproject.toml", "winback.toml", "trial.toml")
TESTS = {
    "kind": ("tests/detectors/test_detectors.py", "tests/detectors/test_lanes.py", "tests/detectors/test_sequence.py"),
    "rule": ("tests/tasks/test_rules.py", "tests/winback/test_reasons.py"),
    "type": ("tests/detectors/test_detectors.py", "tests/detectors/test_sequence.py"),
}
FATE = """
from detectors.activity import ActivityEvent
from detectors.sequence import RANK_NAMES, RANK_SPAN, position
from detectors.lanes import LANES_BY_NAME

def kind_of(**event):
    return RANK_NAMES[position(ActivityEvent(session_id="s", **event), 10**12).signal % RANK_SPAN]
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code and its tests."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def python(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "HOME": str(copy)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def run_tests(copy: Path, what: str) -> None:
    python(copy, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *TESTS[what])


def put(path: Path, before: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, new), encoding="utf-8")


def line_of(page: str, beginning: str) -> str:
    """Return the one line of a guide's code that begins so, without its indentation."""
    (line,) = re.findall(rf"^ +({re.escape(beginning)}.*)$", (GUIDES / page).read_text(encoding="utf-8"), re.MULTILINE)
    return str(line)


def test_kind_of_the_guide_is_one_file_and_one_line(copy: Path) -> None:
    (block,) = marked(GUIDES / "add-a-kind.md", "python")
    (copy / "detectors" / "big_exit.py").write_text(block, encoding="utf-8")
    registry = copy / "detectors" / "registry.py"
    put(registry, "\nfrom detectors.declined", "\nfrom detectors.big_exit import BIG_EXIT\nfrom detectors.declined")
    put(registry, "\n)\n", f"\n    {line_of('add-a-kind.md', 'BIG_EXIT,')}\n)\n")
    code = """
print([kind_of(type="exit", cart={"total_value": total}) for total in (499, 500)])
print(LANES_BY_NAME["checkout.web.big_exit"].kind.reason("checkout"))"""
    assert python(copy, "-c", FATE + code) == "['exit', 'big_exit']\nbig_cart_left_at_checkout\n"
    run_tests(copy, "kind")


def test_rule_of_the_guide_is_one_function_and_one_line(copy: Path) -> None:
    page = "add-a-policy-rule.md"
    (block,) = marked(GUIDES / page, "python")
    rules, table = copy / "tasks/policy/rules.py", copy / "tasks/policy/rule_table.py"
    cases = copy / "tests/tasks/test_rules.py"
    rules.write_text(rules.read_text(encoding="utf-8") + "\n\n" + block[block.index("@rule") :], encoding="utf-8")
    put(table, '    Rule("holdout"', f'    {line_of(page, "Rule(")}\n    Rule("holdout"')
    row = '[Case(Suppress("unknown_language"), {"kind": "declined"}, fields={"language": None})],'
    put(cases, "    [Case(HoldOut()", f"    {row}\n    [Case(HoldOut()")
    run_tests(copy, "rule")


def test_event_type_of_the_guide_is_one_word(copy: Path) -> None:
    flow = copy / "detectors" / "flow.py"
    new = line_of("add-an-event-type.md", "EventType = ")
    text = flow.read_text(encoding="utf-8")
    flow.write_text(re.sub(r"^EventType = .*$", new, text, flags=re.MULTILINE), encoding="utf-8")
    code = """
found = position(ActivityEvent(session_id="s", type="wishlist", flow_stage="checkout", platform="web"), 10**12)
print(kind_of(type="wishlist"), found.seen_ms, found.activity > 0)"""
    assert python(copy, "-c", FATE + code) == f"idle {10**12} True\n"
    run_tests(copy, "type")
