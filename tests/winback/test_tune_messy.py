"""`winback tune` on files that aren't as they should be."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support.recordings import Line, Ran, ordered, recorded, seen, winback

JANE = {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO"}


def tuned(*arguments: str | Path, stdin: bytes = b"", **env: str) -> Ran:
    return winback("tune", *map(str, arguments), env=env, stdin=stdin)


def many(number: int = 300) -> list[Line]:
    """Sessions at the checkout, a third of whose shoppers return after 5 minutes."""
    begins = [seen(f"s{n}", n * 4) for n in range(number)]
    return begins + [seen(f"s{n}", n * 4 + 5) for n in range(0, number, 3)]


def test_gzip_is_read_under_any_name_and_from_stdin(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "events.txt", many(), packed=True))
    plain = gzip.decompress(file.read_bytes())
    found = [tuned(file, "--json"), tuned("-", "--json", stdin=file.read_bytes()), tuned("-", "--json", stdin=plain)]
    assert len({json.dumps(one.document["stages"]) for one in found}) == 1
    assert found[0].document["data"]["events"] == 402
    assert found[0].code == 0


def test_several_files_are_one_recording(tmp_path: Path) -> None:
    whole = Path(recorded(tmp_path / "whole.jsonl", many()))
    lines = whole.read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_bytes(b"".join(lines[:200]))
    second.write_bytes(gzip.compress(b"".join(lines[200:])))
    parts = tuned(first, second, "--json").document
    assert parts["stages"] == tuned(whole, "--json").document["stages"]
    assert parts["data"]["files"] == [str(first), str(second)]


def test_shuffled_lines_within_the_window_give_the_same(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "events.jsonl", many()))
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_bytes(b"\n".join(reversed(file.read_bytes().splitlines())))
    found = tuned(backwards, "--json").document
    assert found["stages"] == tuned(file, "--json").document["stages"]
    assert found["data"]["out_of_order"] == 0


def test_unreadable_lines_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "events.jsonl", many()))
    text = file.read_bytes().replace(b"\n", b'\n\n{"session_id": "s1", "customer": "Jane Doe"\n', 2)
    file.write_bytes(
        b"\xef\xbb\xbf" + text + b'{"type": "activity", "session_id": "s9", "flow_stage": "payment"}\n{"sess'
    )
    found = tuned(file, "--json")
    assert found.document["data"]["unreadable"] == 4
    line = next(text for text in found.document["warnings"] if "are no events" in text)
    assert "line 3: is not valid JSON" in line
    assert "Jane" not in found.out


def test_gzip_that_is_cut_off_counts_up_to_there_and_says_so(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "events.jsonl.gz", many(2_000), packed=True))
    file.write_bytes(file.read_bytes()[:-2_000])
    found = tuned(file, "--json")
    assert found.document["data"]["events"] > 100
    assert any("ends in the middle of its compressed data" in text for text in found.document["warnings"])


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "events.jsonl.gz", many(2_000), packed=True))
    packed = bytearray(file.read_bytes())
    packed[2_000:2_010] = b"0123456789"
    file.write_bytes(packed)
    found = tuned(file, "--json")
    assert (found.code, found.out) == (2, "")
    assert found.err == f"{file}: can't be read: its compressed data is damaged\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"time,visitor,event\n1,2,view\n", "none of 2 lines is an event; line 1: is not valid JSON"),
        (b"1,\n2\n3\n", "none of 3 lines is an event; line 1: is not valid JSON"),
        (b"PK\x03\x04zip", "is in zip format: give JSON lines in UTF-8, plain or compressed with gzip"),
        ('{"type": "exit"}'.encode("utf-16"), "is in UTF-16 format: give JSON lines in UTF-8"),
        (
            b'[{"type": "exit"},\n{"type": "exit"}]',
            "is a JSON array: give one event a line, as `jq -c '.[]'` writes them",
        ),
        (b'{\n  "type": "exit"\n}', "has events of several lines: give one event a line, as `jq -c '.'` writes them"),
        (
            b'{"type": "activity", "session_id": "s1", "cart": {"total_value": "x"}, "previous_session_id": []',
            "line 1: is not valid JSON",
        ),
        (b'{"type": "order_completed", "session_id": "s1", "occurred', "line 1: is not valid JSON"),
        (b'{"type": "exit", "cart": {"total_value": "x"}, "session_id": ""}', "line 1: session_id: is missing"),
        (
            b'{"type": "activity", "session_id": "s1", "flow_stage": "cart_review", "platform": "web"}\n',
            "occurred_at: is",
        ),
    ],
)
def test_file_without_events_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    found = tuned(file)
    assert (found.code, found.out) == (2, "")
    assert says in found.err
    assert found.err.count("\n") == 1


def test_file_that_the_disk_does_not_return_is_named() -> None:
    # Reading the beginning of a process's memory fails as a damaged disk does.
    found = tuned(Path("/proc/self/mem"))
    assert (found.code, found.err) == (2, "/proc/self/mem: can't be read: input/output error\n")


def test_empty_file_gives_no_recommendation(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.touch()
    found = tuned(file, "--json")
    assert found.code == 1
    assert {row["status"] for row in found.document["stages"]} == {"too_few"}
    assert found.document["data"]["first"] is None
    assert "The recording has no events." in found.document["warnings"]
    assert "The recording has no events." in tuned(file).out


def test_missing_file_and_directory_are_refused(tmp_path: Path) -> None:
    assert tuned(tmp_path / "none.jsonl").err.endswith("none.jsonl: can't be opened: no such file or directory\n")
    assert "is a directory: name its files" in tuned(tmp_path).err


def test_recording_that_is_not_sorted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winback.tuning.events.WINDOW", 20)
    monkeypatch.setattr("winback.tuning.events._STEP", 10)
    file = Path(recorded(tmp_path / "events.jsonl", many()))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[200:], *lines[:200]]))
    found = tuned(file)
    assert found.code == 2
    assert "200 of 402 events come more than 20 lines too late: sort the recording by occurred_at" in found.err
    file.write_bytes(b"".join([*lines[3:60], *lines[:3], *lines[60:]]))
    found = tuned(file, "--json")
    assert (found.code, found.document["data"]["out_of_order"]) == (0, 3)


def test_warning_about_contacts_stands_first_unless_answered(tmp_path: Path) -> None:
    file = recorded(tmp_path / "events.jsonl", many())
    assert "whether people were contacted" in tuned(file, "--json").document["warnings"][0]
    assert "whether people were contacted" in tuned(file).out.splitlines()[0]
    assert tuned(file, "--json", "--shadow").document["warnings"] == []


def test_shoppers_who_cannot_be_contacted_do_not_count(tmp_path: Path) -> None:
    mexican = {**JANE, "phone_number": "+525512345678", "country_code": "MX"}
    lines = [
        seen("fine-1", 0, customer=JANE),
        seen("anonymous-1", 0),
        seen("nameless-1", 0, customer={"phone_number": "+573001234568", "country_code": "CO"}),
        seen("wrong-1", 0, customer={**JANE, "phone_number": "+57 1"}),
        seen("no-consent-1", 0, customer=mexican),
        seen(
            "refused-1",
            0,
            customer={**JANE, "phone_number": "+573001234569", "consent": {"call": False, "whatsapp": False}},
        ),
        seen("emptied-1", 0, customer={**JANE, "phone_number": "+573001234560"}, cart={"items": []}),
        seen("yes-1", 0, customer={**mexican, "phone_number": "+525512345679", "consent": {"call": True}}),
    ]
    file = recorded(tmp_path / "events.jsonl", lines)
    found = tuned(file, "--json")
    assert (found.document["data"]["population"], found.counts(30)) == ("contactable", [(2, 0)])
    every = tuned(file, "--json", "--everybody")
    assert (every.document["data"]["population"], every.counts(30)) == ("everybody", [(7, 0)])


def test_opted_out_person_and_recent_buyer_do_not_count(tmp_path: Path) -> None:
    bought = {**JANE, "phone_number": "+573001234561"}
    lines = [
        {**ordered("x-1", -20), "type": "opt_out", "customer": {"phone_number": "300 123 4567", "country_code": "CO"}},
        seen("s1", 0, customer=JANE),
        ordered("x-2", -30, customer=bought),
        seen("s2", 0, customer=bought),
    ]
    file = recorded(tmp_path / "events.jsonl", lines)
    assert tuned(file, "--json").counts(30) == [(0, 0)]
    assert tuned(file, "--json", WINBACK_CONTACT__PURCHASE_COOLDOWN="10m").counts(30) == [(1, 0)]


def test_settings_of_the_policy_leave_sessions_out(tmp_path: Path) -> None:
    lines = [
        seen("small-1", 0, cart={"total_value": 5, "currency": "usd"}),
        seen("large-1", 0, cart={"total_value": 50, "currency": "USD"}),
        seen("none-1", 0),
    ]
    file = recorded(tmp_path / "events.jsonl", lines)
    assert tuned(file, "--json").counts(30) == [(3, 0)]
    assert tuned(file, "--json", WINBACK_CONTACT__MIN_VALUE="USD=20").counts(30) == [(2, 0)]
    assert tuned(file, "--json", WINBACK_CONTACT__NEEDS_CART="checkout").counts(30) == [(2, 0)]
    assert tuned(file, "--json", WINBACK_CONTACT__BY_STAGE__CHECKOUT__ENABLED="false").counts(30) == [(0, 0)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--target", "ten"), "--target ten: write a percentage, like 10%, or a part of one, like 0.1"),
        (("--target", "10"), "--target 10: write a percentage"),
        (("--horizon", "1"), "--horizon 1: write a duration, like 30m, 1h or 24h"),
        (("--horizon", "8d"), "--horizon 8d: must be at most 7d"),
        (("--json", "--toml"), "--toml: can't be used with --json"),
        (("--stage", "cart"), "--stage: 'cart' is not one of"),
        (("--shadow", "--contacts", "x"), "--shadow: can't be used with --contacts"),
    ],
)
def test_wrong_options_are_refused_in_one_line(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    found = tuned(recorded(tmp_path / "events.jsonl", []), *options)
    assert found.code == 2
    assert says in found.err
    assert found.err.count("\n") == 1


def test_line_that_is_no_contact_is_refused(tmp_path: Path) -> None:
    contacts = tmp_path / "contacts.jsonl"
    contacts.write_text('{"session_id": "s1", "at": "2026-03-02T12:00:00Z", "what": "called"}\n')
    found = tuned(recorded(tmp_path / "events.jsonl", []), "--contacts", contacts)
    assert found.code == 2
    assert found.err.startswith(f'{contacts}: line 1 isn\'t a contact: write {{"session_id"')


@pytest.mark.parametrize("command", ["tune", "simulate"])
def test_single_unreadable_line_is_named(tmp_path: Path, command: str) -> None:
    file = Path(recorded(tmp_path / "events.jsonl", many()))
    file.write_bytes(file.read_bytes() + b"nothing\n")
    (line,) = (text for text in winback(command, str(file), "--json").document["warnings"] if "no event" in text)
    assert line.startswith("1 line is no event and doesn't count. The first: ")
