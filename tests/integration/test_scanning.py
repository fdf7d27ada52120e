"""`gsp scan` as a process of its own, on files as an officer has them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from node.cli.exit_codes import ExitCode
from tests.support.checkout import ROOT
from tests.support.symbols import file_of, symbol

PACKS = ROOT / "config" / "photos" / "packs.jpg"
PATTERNS = ROOT / "config" / "patterns"


def scan(folder, *words: str):
    command = [sys.executable, "-m", "node", "scan", *words]
    return subprocess.run(command, cwd=folder, env={"HOME": str(folder)}, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path):
    shutil.copy(PACKS, tmp_path / "packs.jpg")
    (tmp_path / "letter.txt").write_text("no picture at all")
    (tmp_path / "wall.png").write_bytes(file_of(symbol(" ").point(lambda _: 200)))
    return tmp_path


def test_a_program_gets_every_symbol_of_every_file(folder):
    ran = scan(folder, "packs.jpg", "letter.txt", "wall.png", "--library", str(PATTERNS), "--json")
    packs, letter, wall = json.loads(ran.stdout)["pictures"]
    readings = {one["kind"]: one for one in packs["readings"]}

    assert ran.returncode == ExitCode.USAGE  # for the first file without a code
    assert {kind: one["scan"] for kind, one in readings.items()} == {
        "dotcode": "]J0LEAT1xK7mP2qRA1bZ9c19052014",
        "data-matrix": "]d1QTABCDEFGHIJKL",
        "qr": "]Q1https://shop.example/visit",
        "code-128": "]C0QN1234567890",
    }
    assert [one["party"] for one in readings["dotcode"]["resolution"]["parties"]] == ["at"]
    assert [(one["kind"], one["text"]) for one in packs["products"]] == [("ean-13", "4012345678901")]
    assert [one["kind"] for one in packs["unread"]] == ["dotcode"]
    assert all(len(one["corners"]) == 4 for one in (*packs["readings"], *packs["products"], *packs["unread"]))
    assert letter["error"]["hint"]
    assert (wall["readings"], wall["products"], wall["unread"]) == ([], [], [])


def test_a_person_is_told_what_was_not_read(folder):
    ran = scan(folder, "packs.jpg")

    assert ran.returncode == ExitCode.FINE
    assert "something that looks like dotcode, at " in ran.stdout
    assert "names a product and no single pack" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_a_code_cannot_write_to_the_terminal(folder):
    (folder / "hostile.png").write_bytes(file_of(symbol("QT\x1b]0;owned\x07\x1b[2J")))
    ran = scan(folder, "hostile.png")

    assert "owned" in ran.stdout
    assert not {"\x1b", "\x07"} & set(ran.stdout + ran.stderr)


def test_no_photo_is_a_mistake_of_use_and_a_missing_one_too(folder):
    assert scan(folder).returncode == ExitCode.USAGE
    assert scan(folder, "gone.jpg").returncode == ExitCode.USAGE
