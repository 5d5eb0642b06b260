"""The mock API's ledger: every request, its exact bytes, readable only by its owner."""

import json
import os
import re
import stat
from pathlib import Path

import httpx
import pytest

from tests.support.mock_requests import IMPATIENT, SEED, eventually, headers, new_key, numbered, send
from winback.cli.mock_api import mock_api
from winback.simulation.mock_api.process import MockServer
from worker.errors import StartError


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_private_store_has_the_exact_bytes_of_every_request(tmp_path: Path) -> None:
    store = tmp_path / "got.jsonl"
    spaced = json.dumps(SEED, indent=3, ensure_ascii=False).replace("Jane", "Jäne").encode()
    broken = b'{"customer": "\xff\xfe'
    endless = json.dumps(SEED).replace("149.99", "1e999").encode()
    keys = [new_key(), new_key(), new_key()]
    with MockServer(store=store) as server:
        assert stat.S_IMODE(store.stat().st_mode) == 0o600
        send(server, spaced, key=keys[0])
        send(server, spaced, key=keys[0])
        send(server, broken, key=keys[1])
        send(server, endless, key=keys[2])
        stored = [json.loads(line) for line in lines(store)]
        assert stored == server.requests()
    assert [entry["body_raw"].encode("utf-8", "surrogateescape") for entry in stored] == [
        spaced,
        spaced,
        broken,
        endless,
    ]
    assert [entry["body"] for entry in stored] == [json.loads(spaced)] * 2 + [None] * 2
    told = ("status", "outcome", "idempotency_key", "headers_ok", "valid", "duplicate", "path")
    assert [tuple(entry[name] for name in told) for entry in stored] == [
        (200, "accepted", keys[0], True, True, False, "/ai-caller-ms/recovery-payment/external"),
        (200, "replayed", keys[0], True, True, True, "/ai-caller-ms/recovery-payment/external"),
        (400, "refused", keys[1], True, False, False, "/ai-caller-ms/recovery-payment/external"),
        (400, "refused", keys[2], True, False, False, "/ai-caller-ms/recovery-payment/external"),
    ]
    assert stored[2]["problems"] == ["body: must be a JSON document in UTF-8"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["received_at"]) for entry in stored)


def test_a_request_is_in_the_store_before_it_is_answered(tmp_path: Path) -> None:
    store = tmp_path / "got.jsonl"
    with MockServer(store=store, delay="1h") as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(server.endpoint, json=SEED, headers=headers(), timeout=IMPATIENT)
        eventually(lambda: len(lines(store)) == 1)
        assert json.loads(lines(store)[0])["body"] == SEED


def test_a_store_that_was_there_is_kept_and_made_private(tmp_path: Path) -> None:
    store = tmp_path / "got.jsonl"
    store.write_text('{"earlier": true}\n')
    store.chmod(0o644)
    with MockServer(store=store) as server:
        send(server)
        server.forget()
    assert [max(json.loads(line)) for line in lines(store)] == ["earlier", "valid"]
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_unstorable_request_is_refused_and_can_be_repeated(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    key = new_key()
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with MockServer(store=pipe) as server:
        os.close(reader)
        assert (send(server, key=key).status_code, send(server, key=key).json()["code"]) == (500, "STORE_FAILED")
        assert server.summary()["requests"] == 0
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        assert send(server, key=key).status_code == 200
        assert server.summary()["accepted"] == 1
        assert json.loads(os.read(reader, 10_000))["body"] == SEED
    os.close(reader)


def test_full_disk_is_reported() -> None:
    with MockServer(store="/dev/full") as server:
        assert "No space left" in send(server).text


def test_relative_store_path_starts_at_the_callers_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with MockServer(store="got.jsonl") as server:
        send(server)
    assert len(lines(tmp_path / "got.jsonl")) == 1


def test_unopenable_store_ends_the_start_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=re.escape(f"--store {tmp_path}: Is a directory; ")):
        mock_api(port=0, store=tmp_path)


def test_requests_dropped_from_memory_are_counted() -> None:
    with MockServer(keep=2) as server:
        for number in range(3):
            send(server, numbered(number))
        with pytest.raises(RuntimeError, match="1 earlier request"):
            server.requests()
        assert server.summary()["accepted"] == 3
