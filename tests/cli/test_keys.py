"""`gsp keys show` at the desk; what changes keys is tried at whole nodes (tests/integration)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from federation.errors import InvalidInput
from federation.identity import PartyId
from node.cli.exit_codes import ExitCode
from node.cli.next_key import keep_next_key, read_next_key
from node.use_cases.desk_values import Health, KeyLine, KeyPlace
from tests.support import pki

CA = KeyLine(
    name="Party CA",
    id="0123456789abcdef",
    place=KeyPlace.TOKEN,
    since=pki.NOW - 400 * 86_400,
    ends=pki.NOW + 330 * 86_400,
    health=Health.GOOD,
    words="issues certificates",
)
NEXT = KeyLine(
    name="next Party key",
    id="fedcba9876543210",
    place=KeyPlace.PAPER,
    since=0,
    ends=0,
    health=Health.GOOD,
    words="lies in a safe",
)


def test_every_key_has_a_row_with_its_age_and_its_end(terminal):
    terminal.desk.keys = (CA, NEXT)
    shown = terminal.run("keys show")

    assert shown.exit_code == ExitCode.FINE
    heading, first, second = shown.stdout.splitlines()
    assert heading.split() == ["key", "id", "place", "age", "ends", "what", "happens", "next"]
    assert first.split()[:6] == ["ok", "Party", "CA", "0123456789abcdef", "token", "400"]
    assert "2027-12-11" in first
    assert second.endswith("lies in a safe")


@pytest.mark.parametrize(("health", "code"), [(Health.WARNING, ExitCode.WARNING), (Health.BAD, ExitCode.BAD)])
def test_the_most_urgent_key_decides_how_it_ends(terminal, health, code):
    terminal.desk.keys = (CA, replace(NEXT, health=health))

    assert terminal.run("keys show").exit_code == code


def test_programs_get_null_where_there_is_no_time(terminal):
    terminal.desk.keys = (NEXT,)
    (line,) = json.loads(terminal.run("keys show --json").stdout)["keys"]

    assert line == {
        "name": "next Party key",
        "id": "fedcba9876543210",
        "place": "paper",
        "since": None,
        "ends": None,
        "health": "good",
        "words": "lies in a safe",
    }


def test_the_next_key_comes_back_from_its_file_and_no_file_is_written_over(tmp_path):
    path = tmp_path / "next-party-key-qm.txt"
    for number in (1, 2, 3):
        keep_next_key(tmp_path, PartyId("qm"), f"{number:064x}")

    assert read_next_key(path) == (3).to_bytes(32)
    assert path.stat().st_mode & 0o077 == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "next-party-key-qm.txt",
        "next-party-key-qm.unused-1.txt",
        "next-party-key-qm.unused-2.txt",
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "no key\n", "abcd\n", "0" * 66])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    path = tmp_path / "paper"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="holds no next Party key"):
        read_next_key(path)
