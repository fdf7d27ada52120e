"""Real processes of `gsp`, of this checkout or of another version of the program, and a small treaty made with their verbs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT

PATIENCE_S = 90.0
"""Longer than anything takes on a busy machine."""
FOUNDERS = (1, 2)


@dataclass(frozen=True)
class Program:
    """One version of `gsp`: a folder with the code of a checkout, run with this interpreter and these libraries.

    Without `site`, so that an editable install of this checkout does not stand before the folder.
    """

    code: Path = ROOT

    def arguments(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-S", "-m", "node", *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GSP_", "PYTHON"))}
        libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        return {**kept, "PYTHONPATH": os.pathsep.join([str(self.code), *sorted(libraries)]), "PYTHONDONTWRITEBYTECODE": "1"}

    async def whereabouts(self) -> tuple[Path, Path]:
        """Where the two packages really come from."""
        look = "import federation, node; print(federation.__file__); print(node.__file__)"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-S", "-c", look, cwd=self.code, env=self.environment(), stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        first, second = told.decode().split()
        return Path(first), Path(second)


def committed(commit: str, version: str, folder: Path) -> Program:
    """A version as it was committed, with the protobuf code that its own build makes. Skips, or fails in CI, where the history does not
    have it.
    """
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        reason = f"commit {commit} (version {version}) is not in this history: fetch it whole"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    subprocess.run([sys.executable, folder / "hatch_build.py"], cwd=folder, check=True)
    return Program(folder)


@dataclass
class Running:
    """A process under way, and what it has said so far on both outputs."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def line(self, words: str) -> str:
        """Wait for a line with these words in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while raw := await self.process.stdout.readline():
                self.said.append(raw.decode(errors="replace").rstrip())
                if words in self.said[-1]:
                    return self.said[-1]
        raise AssertionError("\n".join(["it ended before it said so:", *self.said[-30:]]))

    async def ended(self) -> int:
        """Wait for its end; what it says until then is kept."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while raw := await self.process.stdout.readline():
                self.said.append(raw.decode(errors="replace").rstrip())
            return await self.process.wait()

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and what it said with it."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            await self.process.communicate()

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self.stop(signal.SIGKILL)


@dataclass
class Town:
    """A treaty on this machine: each participant a folder, each running node a process.

    Attributes:
        programs: which version each participant runs.
    """

    folder: Path
    programs: dict[str, Program]
    published: dict[str, str] = field(default_factory=dict)
    officers: dict[str, Path] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)

    def home(self, name: str) -> Path:
        return self.folder / name

    def keys(self, name: str) -> tuple[str | Path, ...]:
        return ("--home", self.home(name), "--passphrase-file", self.folder / "passphrase")

    async def begin(self, name: str, *arguments: str | Path, errors: int = asyncio.subprocess.STDOUT) -> Running:
        program = self.programs[name]
        process = await asyncio.create_subprocess_exec(
            *program.arguments(*arguments),
            cwd=program.code,
            env=program.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        return Running(process)

    async def run(self, name: str, *arguments: str | Path, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """A verb to its end, with the participant's program; gives its document."""
        running = await self.begin(name, *arguments, "--json", errors=asyncio.subprocess.DEVNULL)
        code = await running.ended()
        printed = "\n".join(running.said)
        assert code in codes, f"{arguments} ended with {code}: {printed}"
        document: dict[str, Any] = json.loads(printed)
        return document

    async def found(self) -> None:
        """The Secretariat, founded and running."""
        made = await self.run(
            "secretariat",
            *("secretariat", "init", *self.keys("secretariat"), "--domain", "gsp.example.org", "--keystore-cost", "minimal"),
        )
        self.published.update(genesis=made["genesis"], log_key=made["log_key"])
        await self.start("secretariat")

    async def start(self, name: str) -> None:
        """Start a node and wait until it is ready."""
        role = "secretariat" if name == "secretariat" else "party"
        running = await self.begin(name, role, "run", *self.keys(name))
        self.running[name] = running
        await running.line("ready")

    async def stop(self, name: str) -> None:
        await self.running.pop(name).stop()

    async def kill(self, name: str) -> None:
        await self.running.pop(name).kill()

    async def join(self, party: str, *more: str | Path) -> None:
        """Invited, joined, fingerprint compared, admitted by two founders."""
        invited = await self.run("secretariat", "secretariat", "invite", party, "--home", self.home("secretariat"))
        joining = await self.begin(
            party,
            *(
                "party",
                "join",
                invited["code"],
                *self.keys(party),
                "--genesis",
                self.published["genesis"],
                "--name",
                party.upper(),
            ),
            *("--keystore-cost", "minimal", *more),
        )
        fingerprint = (await joining.line("fingerprint")).rpartition(": ")[2]
        take_away = self.home("secretariat") / "take-away"
        await self.run(
            "secretariat",
            *("secretariat", "admit", party, "--home", self.home("secretariat"), "--fingerprint", fingerprint),
            *(part for number in FOUNDERS for part in ("--founder-key", take_away / f"founder-{number}.key")),
        )
        assert await joining.ended() == 0, joining.said
        (self.officers[party],) = (self.home(party) / "officers").iterdir()

    async def enrol(self, party: str, authority: str) -> None:
        """An officer with all rights, whom the operator invites; from now on the Party's officer here."""
        invited = await self.run(
            party,
            *("officers", "invite", *self.keys(party), "--name", "Ana Example", "--authority", authority, "--right", "all"),
        )
        folder = self.folder / f"officer-{invited['officer_id']}"
        await self.run(party, "officers", "enrol", invited["code"], "--to", folder)
        self.officers[party] = folder

    async def ask(self, asker: str, code: str, to: str, *, wait: str = "30s", codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """A question of a Party's officer; gives the query's document."""
        return await self.run(
            asker,
            *("ask", code, "--to", to, "--officer", self.officers[asker], "--purpose", "investigation"),
            *("--necessity", "A lorry was stopped.", "--wait", wait),
            codes=codes,
        )

    async def look(self, party: str, query: str, *, wait: str = "0s", codes: tuple[int, ...] = (0, 75)) -> dict[str, Any]:
        """The query as it is now."""
        return await self.run(party, "queries", query, "--wait", wait, "--officer", self.officers[party], codes=codes)

    async def proof(self, party: str, query: str) -> Path:
        """A proof, exported by the Party's own node."""
        path = self.folder / f"{party}-{query}.proof"
        path.unlink(missing_ok=True)
        await self.run(party, "proof", "export", query, "--officer", self.officers[party], "-o", path)
        return path

    async def verify(self, with_program_of: str, path: Path) -> dict[str, Any]:
        """The proof, checked by the program of a participant with nothing but the published values."""
        return await self.run(
            with_program_of,
            *("proof", "verify", path, "--log-key", self.published["log_key"], "--genesis", self.published["genesis"]),
        )

    async def knows(self, asker: str, code: str, party: str) -> None:
        """Wait until the asker's node has the patterns of the Party: nodes that have just started still introduce themselves."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.run(asker, "resolve", code, "--officer", self.officers[asker], codes=(0, 66))
                if party in json.dumps(found):
                    return
                await asyncio.sleep(0.5)


@asynccontextmanager
async def town(folder: Path, **programs: Program) -> AsyncIterator[Town]:
    """A treaty whose Secretariat runs, for the length of a block; every process ends with it."""
    (folder / "passphrase").write_text("four words nobody guesses\n", encoding="utf-8")
    made = Town(folder, programs)
    try:
        await made.found()
        yield made
    finally:
        for name in list(made.running):
            await made.stop(name)
