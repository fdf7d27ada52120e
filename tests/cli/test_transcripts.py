"""Whole sessions as text: what is typed, what is printed, how it ends.

A line that begins with `$` is typed. What follows is printed on stdout, or on stderr where a line begins with `!`; a number in
brackets is the exit code when it is not 0. Before the first line, a query of Nerania has come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def test_there_are_transcripts():
    assert TRANSCRIPTS


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_session_goes_as_it_is_written(path, terminal):
    terminal.desk.receive()
    written = path.read_text(encoding="utf-8")
    assert replayed(written, terminal) == written


def replayed(written: str, terminal) -> str:
    """The comments and the typed lines of a session, each with what it prints now."""
    lines: list[str] = []
    for line in written.splitlines():
        if line.startswith("#"):
            lines += [line]
        if line.startswith("$ gsp "):
            lines += [line, *printed(terminal.run(line.removeprefix("$ gsp "))), ""]
    return "\n".join(lines)


def printed(result) -> Iterator[str]:
    yield from result.stdout.splitlines()
    yield from (f"! {line}" for line in result.stderr.splitlines())
    if result.exit_code:
        yield f"[{result.exit_code}]"
