"""Rules of the packages: imports, clocks, and access to Redis. The direction of imports: `lint-imports`."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("detectors", "state", "storefronts", "tasks", "thresholds", "worker", "winback")
PURE = (
    "detectors",
    "storefronts",
    "thresholds",
    "tasks/policy/law",
    "tasks/policy/openings.py",
    "tasks/policy/quiet_hours.py",
    "tasks/policy/decisions.py",
    "tasks/policy/rules.py",
    "tasks/policy/situation.py",
    "tasks/delivery/payload.py",
    "tasks/delivery/request.py",
    "tasks/delivery/backoff.py",
    "detectors/session_fields.py",
    "tasks/policy/blocklist.py",
    "tasks/policy/block_patterns.py",
)
CLOCKS = {
    "now",
    "utcnow",
    "today",
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "localtime",
    "gmtime",
}
MAY_IMPORT_REDIS = {
    "worker/server_errors.py": "tells a broker's errors apart",
    "worker/diagnosis.py": "tells a broker's errors apart",
    "worker/monitoring/doctor.py": "asks a cluster where its streams are",
    "worker/monitoring/reach.py": "asks the broker",
    "winback/operations/producer.py": "adds events to the stream, as a shop does",
    "worker/celery_support/redis_transport.py": "tells a broker's errors apart",
    "worker/runtime.py": "names the type of the client that it hands on",
    "worker/supervision/directory_lock.py": "waits for a server that ends",
    "worker/supervision/valkey_process.py": "waits for the server that it starts",
}


def files(*places: str) -> list[Path]:
    found = [path for place in places for path in [ROOT / place, *(ROOT / place).rglob("*.py")] if path.suffix == ".py"]
    assert found
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module that a file imports anywhere, also by name."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, _, level):
                assert level == 0, f"{name_of(path)}: a relative import hides its floor"
                yield module or ""
            case ast.Call(
                ast.Name("__import__") | ast.Attribute(attr="import_module"), [ast.Constant(str(module)), *_]
            ):
                yield module


def names_in(path: Path) -> Iterator[str]:
    """Yield every module that an import can mean: `from worker import logs` is about `worker.logs`."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.ImportFrom(str(module), names):
                known = [f"{module}.{alias.name}" for alias in names]
                yield from known
                if not all((ROOT / one.replace(".", "/")).with_suffix(".py").exists() for one in known):
                    yield module
            case ast.Import(names):
                yield from (alias.name for alias in names)


def tops_of(path: Path) -> set[str]:
    return {module.partition(".")[0] for module in imports_of(path)}


def test_no_package_imports_tests_or_bench() -> None:
    wrong = {name_of(path): found for path in files(*PACKAGES) if (found := tops_of(path) & {"tests", "bench"})}
    assert wrong == {}


def test_no_module_imports_itself_through_others() -> None:
    modules = {
        name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in files(*PACKAGES)
    }
    ahead = {name: set(names_in(path)) & set(modules) for name, path in modules.items()}
    # Remove each module without remaining imports; the others are on a cycle or lead to one.
    while free := {name for name, imported in ahead.items() if not imported}:
        ahead = {name: imported - free for name, imported in ahead.items() if name not in free}
    assert ahead == {}


@pytest.mark.parametrize("floor", PACKAGES)
def test_every_package_of_a_floor_is_seen(floor: str) -> None:
    """Nothing must be missing from what the tests above check."""
    assert {path.parent.name for path in files(floor)} >= {floor}
    assert len(files(floor)) > 5


@pytest.mark.parametrize(
    ("floor", "unknown"),
    [
        ("detectors", {"redis", "celery", "kombu", "httpx", "httpcore", "state", "tasks", "worker", "winback"}),
        ("state", {"celery", "kombu", "httpx", "pydantic", "detectors", "tasks", "worker", "winback"}),
        ("thresholds", {"redis", "celery", "kombu", "httpx", "httpcore", "state", "tasks", "worker", "winback"}),
        ("storefronts", {"redis", "celery", "kombu", "httpx", "httpcore", "state", "tasks", "worker", "winback"}),
        ("tasks", {"worker", "winback"}),
    ],
)
def test_importing_a_floor_loads_nothing_that_it_must_not_know(floor: str, unknown: set[str]) -> None:
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files(floor)]
    script = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(found.stdout.split()) & unknown == set()


def test_what_is_pure_reads_no_clock() -> None:
    ingest = [f"worker/ingest/{name}.py" for name in ("answers", "batch", "changes", "fast_path", "marking")]
    wrong = {name_of(path): found for path in files(*PURE, *ingest) if (found := sorted(_clocks(path)))}
    assert wrong == {}


def _clocks(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.ImportFrom("time", names):
                yield from (alias.name for alias in names)
            case ast.Import(names) if any(alias.name == "time" for alias in names):
                yield "time"
            case ast.Call(ast.Attribute(attr=name)) if name in CLOCKS:
                yield name


def test_only_listed_files_outside_state_use_redis() -> None:
    found = {name_of(path) for path in files("detectors", "tasks", "worker", "winback") if "redis" in tops_of(path)}
    assert found <= set(MAY_IMPORT_REDIS)


def test_only_state_names_keys_of_sessions_and_people() -> None:
    names = {"session", "person", "outreach", "lane", "due", "leased", "partition", "stats"}
    wrong = []
    for path in files("detectors", "tasks", "worker", "winback"):
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.Attribute(ast.Attribute(attr="keys") | ast.Name("keys"), name) if name in names:
                    wrong.append(f"{name_of(path)}:{node.lineno} keys.{name}")
                case ast.Constant(str(text)) if any(part in text for part in (":session:", ":outreach:", "{person:")):
                    wrong.append(f"{name_of(path)}:{node.lineno} {text[:40]}")
    assert wrong == []


def test_nothing_outside_the_state_evaluates_scripts() -> None:
    wrong = [
        name_of(path)
        for path in files("detectors", "tasks", "worker", "winback")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and str(node.value).upper() in {"EVAL", "EVALSHA", "FCALL"}
    ]
    assert wrong == []


# The scripts


SCRIPTS = sorted((ROOT / "state" / "lua").glob("*.lua"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_opens_with_keys_arguments_and_returns(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    opening = [line for line in lines if line.startswith("--")]
    assert lines[0].split()[0] == "#!lua"
    assert any(line.startswith("-- KEYS[1]") for line in opening)
    assert any(line.startswith("-- Returns") for line in opening)
    assert "ARGV" not in "".join(lines[len(opening) + 1 :]) or any(line.startswith("-- ARGV[1]") for line in opening)
    assert len([line for line in lines if not line.lstrip().startswith("-- guard ")]) <= 60
