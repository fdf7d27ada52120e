"""Sessions that stand in a document, typed into a real shell: what the document shows has to come.

A fenced block of the kind `console` behind `<!-- executed -->` is a session; all sessions of a document share one folder. `$` begins
a command, and a backslash at its end continues it. The lines after it are its output, where

    ...         stands for any lines, also none
    <name>      stands for what is there; from then on `<name>` means exactly that, in commands too
    [66]        is an exit code other than 0

A command that ends in `&` goes on running; the lines after it are waited for. `fg` waits for the last such command to end, `kill %2` ends
the second one; they are numbered as a shell numbers them.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ANYTHING = "..."
PATIENCE_S = 60.0
"""Longer than anything takes; a command that says nothing for so long has failed."""


@dataclass(frozen=True)
class Step:
    """One command with the output that the document shows."""

    command: str
    output: tuple[str, ...]


def steps(document: str) -> Iterator[Step]:
    """All commands of all sessions, in their order."""
    for session in re.findall(r"<!-- executed -->\n```console\n(.*?)^```$", document, re.DOTALL | re.MULTILINE):
        for typed in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, output = re.sub(r"\\\n\s*", "", typed).partition("\n")
            yield Step(command, tuple(output.rstrip("\n").split("\n")) if output.strip() else ())


class Process:
    """One command under way. Both of its outputs are one stream of lines."""

    def __init__(self, command: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._seen: list[str] = []
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def next_line(self) -> str | None:
        """The next line; None when there will be no more."""
        if self._over:
            return None
        try:
            line = self._lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"`{self._command}` says nothing more after:\n{self.told}") from None
        self._over = line is None
        if line is not None:
            self._seen.append(line)
        return line

    @property
    def told(self) -> str:
        """What it has said so far."""
        return "\n".join(self._seen)

    def ended(self) -> int:
        """Wait for the end, and give the exit code."""
        while self.next_line() is not None:
            pass
        return self._process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Ask it to stop."""
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


@dataclass
class Shell:
    """A shell in a folder, for the sessions of one document."""

    folder: Path
    known: dict[str, str] = field(default_factory=dict)
    _jobs: dict[int, Process] = field(default_factory=dict)

    def run(self, step: Step) -> None:
        """Type one command and see that it says what the document shows."""
        output = list(step.output)
        code = int(output.pop()[1:-1]) if output and re.fullmatch(r"\[\d+\]", output[-1]) else 0
        command = self._filled(step.command)
        if killed := re.fullmatch(r"kill %(\d+)", command):
            assert self._jobs.pop(int(killed[1])).stop() == 0
            return
        stays = command.endswith("&")
        process = (
            self._jobs.pop(max(self._jobs))
            if command == "fg"
            else Process(command.removesuffix("&"), self.folder, _environment())
        )
        self._expect(process, output, to_the_end=not stays and bool(output))
        if stays:
            self._jobs[max(self._jobs, default=0) + 1] = process
            return
        assert process.ended() == code, f"`{command}` ended differently:\n{process.told}"
        process.stop()

    def close(self) -> list[int]:
        """Stop what still runs, the last first; gives the exit codes."""
        return [self._jobs.pop(number).stop() for number in sorted(self._jobs, reverse=True)]

    def _expect(self, process: Process, output: list[str], *, to_the_end: bool) -> None:
        skipping = False
        for wanted in output:
            if wanted == ANYTHING:
                skipping = True
                continue
            while not self._matches(wanted, line := process.next_line()):
                may_go_on = skipping and line is not None
                assert may_go_on, f"instead of {self._filled(wanted)!r} came {line!r} after:\n{process.told}"
            skipping = False
        if to_the_end and not skipping:
            rest = process.next_line()
            assert rest is None, f"more than the document shows: {rest!r} after:\n{process.told}"

    def _matches(self, wanted: str, line: str | None) -> bool:
        if line is None:
            return False
        parts = re.split(r"<([a-z-]+)>", self._filled(wanted).rstrip())
        names = parts[1::2]
        pattern = "".join(re.escape(part) if place % 2 == 0 else "(.+?)" for place, part in enumerate(parts))
        found = re.fullmatch(pattern, line)
        if found is not None:
            self.known.update(zip(names, found.groups(), strict=True))
        return found is not None

    def _filled(self, written: str) -> str:
        return re.sub(r"<([a-z-]+)>", lambda found: self.known.get(found[1], found[0]), written)


def _environment() -> dict[str, str]:
    """That of this process, with this checkout's `gsp` first and no profile of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GSP_")}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "100"}
