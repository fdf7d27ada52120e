"""`gsp pattern`: from sample codes to a set that is published, and back."""

from __future__ import annotations

import json
import random
import string
import tomllib

import pytest

from federation.uim.check import CheckMethod, check_characters
from node.cli.exit_codes import ExitCode
from node.config import NodeSettings, write_settings
from node.formats.pattern_text import pattern_file
from node.formats.patterns import read_own_set
from node.joining import OWN_PATTERNS, read_sets
from tests.support.patterns import pattern, pattern_set

SETTINGS = NodeSettings(
    party="qx",
    name="Party X",
    domain="gsp.example",
    genesis="0" * 64,
    secretariat="127.0.0.1:1",
    listen="127.0.0.1:2",
    desk="127.0.0.1:3",
)


def stamps(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    payloads = ["".join(chance.choices(string.ascii_uppercase + "234567", k=14)) for _ in range(count)]
    return [f"QX{payload}{check_characters(CheckMethod.MOD_37_36, payload)}" for payload in payloads]


@pytest.fixture
def samples(terminal):
    path = terminal.folder / "codes.txt"
    path.write_text("\n".join(stamps(30)) + "\n")
    return path


@pytest.fixture
def home(terminal):
    folder = terminal.folder / "home"
    folder.mkdir()
    write_settings(folder / "node.toml", SETTINGS)
    return folder


@pytest.fixture
def own(terminal):
    path = terminal.folder / "own.toml"
    path.write_text(
        pattern_file(pattern_set(pattern(), pattern(pattern_id="second", segments=pattern().segments[:1], examples=("QX",))))
    )
    return path


def test_a_draft_is_read_checked_and_covers_its_samples(terminal, samples):
    draft = terminal.folder / "draft.toml"
    made = terminal.run(f"pattern new qx stamp --codes {samples} --invented -o {draft}", officer=False)
    checked = terminal.run(f"pattern check {draft} --codes {samples} --json", officer=False)
    document = json.loads(checked.stdout)

    assert made.exit_code == ExitCode.FINE
    assert read_own_set(draft).patterns[0].segments[1].method is CheckMethod.MOD_37_36
    assert checked.exit_code == ExitCode.FINE
    assert (document["survey"]["covered"], document["survey"]["codes"], document["overlaps"]) == (30, 30, [])


def test_a_draft_goes_to_standard_output_and_overwrites_nothing(terminal, samples):
    shown = terminal.run(f"pattern new qx stamp --codes {samples}", officer=False)
    refused = terminal.run(f"pattern new qx stamp --codes {samples} -o {samples}", officer=False)

    assert tomllib.loads(shown.stdout)["party"] == "qx"
    assert refused.exit_code == ExitCode.CONFIGURATION


def test_an_overlap_with_another_party_is_shown_with_a_code(terminal, own):
    other = terminal.folder / "other.toml"
    other.write_text(pattern_file(pattern_set(pattern(owner="qy"), party="qy")))
    result = terminal.run(f"pattern check {own} --against {other}", officer=False)

    assert result.exit_code == ExitCode.WARNING
    assert "qx qx-pack and qy qx-pack: QX" in result.stdout
    assert "both say that only they issue it" in result.stdout


def test_what_is_not_covered_ambiguous_or_dead_is_said(terminal):
    path, codes = terminal.folder / "set.toml", terminal.folder / "codes.txt"
    unstored = tuple(
        type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"stored": one.name != "serial"})
        for one in pattern().segments
    )
    path.write_text(
        pattern_file(
            pattern_set(
                pattern(),
                pattern(pattern_id="short", segments=unstored),
                pattern(pattern_id="never", segments=pattern().segments[:1], examples=("QX",)),
            )
        )
    )
    codes.write_text("QX123456\nQX12345x\n<nothing>\n")
    result = terminal.run(f"pattern check {path} --codes {codes}", officer=False)

    assert result.exit_code == ExitCode.WARNING
    assert "1 of 3 codes are covered" in result.stdout
    assert (
        "not covered: line 2, QX12345x: qx never: the code has a wrong length; qx qx-pack: serial has a character"
        in result.stdout
    )
    assert "ambiguous: line 1, QX123456: qx-pack, short" in result.stdout
    assert "dead: never: no code of the file fits this pattern" in result.stdout


def test_segments_that_never_change_are_dead(terminal):
    path, codes = terminal.folder / "set.toml", terminal.folder / "codes.txt"
    path.write_text(pattern_file(pattern_set(pattern())))
    codes.write_text("QX123456\n" * 20)
    result = terminal.run(f"pattern check {path} --codes {codes}", officer=False)

    assert "dead: qx-pack, segment serial: it is always 123456: it could be fixed text" in result.stdout


def test_a_code_is_explained_segment_by_segment(terminal):
    result = terminal.run("pattern explain LEAT1xK7mP2qRA1bZ9c19052014", officer=False)

    assert result.exit_code == ExitCode.FINE
    assert "at at-unit:" in result.stdout
    assert "applied  19052014  (a) time" in result.stdout.replace("issuer   ", "issuer   ")


def test_a_code_that_almost_fits_is_explained_by_its_fault(terminal):
    result = terminal.run("pattern explain LEAT1xK7mP2qRA1bZ9c19132014 --json", officer=False)

    assert result.exit_code == ExitCode.NOT_FOUND
    assert "at at-unit: applied is no date of the calendar" in json.loads(result.stdout)["near"]


def test_publishing_counts_up_and_withdrawing_leaves_the_rest(terminal, home, own):
    first = terminal.run(f"pattern publish {own} --home {home} --json", officer=False)
    same = terminal.run(f"pattern publish {own} --home {home}", officer=False)
    second = terminal.run(f"pattern withdraw second --home {home} --json", officer=False)
    third = terminal.run(f"pattern withdraw --all --home {home} --json", officer=False)

    assert json.loads(first.stdout) == {"party": "qx", "version": 1, "patterns": 2}
    assert (same.exit_code, "says the same already" in same.stderr) == (ExitCode.USAGE, True)
    assert json.loads(second.stdout) == {"party": "qx", "version": 2, "patterns": 1}
    assert json.loads(third.stdout) == {"party": "qx", "version": 3, "patterns": 0}
    assert [(one.version, one.patterns) for one in read_sets(home, SETTINGS)] == [(3, ())]


def test_another_partys_set_and_unknown_patterns_are_refused(terminal, home, own):
    foreign = terminal.folder / "foreign.toml"
    foreign.write_text(pattern_file(pattern_set(pattern(owner="qy"), party="qy")))
    nothing = terminal.run(f"pattern withdraw second --home {home}", officer=False)
    terminal.run(f"pattern publish {own} --home {home}", officer=False)

    assert nothing.exit_code == ExitCode.NOT_FOUND
    assert terminal.run(f"pattern publish {foreign} --home {home}", officer=False).exit_code == ExitCode.FORBIDDEN
    assert terminal.run(f"pattern withdraw third --home {home}", officer=False).exit_code == ExitCode.NOT_FOUND
    assert terminal.run(f"pattern withdraw --home {home}", officer=False).exit_code == ExitCode.USAGE
    assert (home / OWN_PATTERNS).exists()
