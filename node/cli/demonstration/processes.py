"""The processes of the demonstration: each is this program again, with a verb that an operator could type.

Every process leads a group of its own, so that Ctrl-C in the terminal reaches only the demonstration, which then stops all of them
in order. Nothing outlives the block. Every command is written down in `commands.txt`, to be read and to be copied.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, TypeVar

import msgspec

from federation.errors import Misuse
from node import limits as node_limits
from node.cli.output import Document

Result = TypeVar("Result")

_PATIENCE_S: Final = 60.0
"""How long a verb or a start may take: some hundred times what it takes on an idle machine."""
_STOP_S: Final = node_limits.GRPC_STOP_GRACE_S + 5.0
"""A node lets calls end before it stops; what is still there after that is killed."""
LOOK_HINT: Final = "run `gsp demo --keep` and look into the folder `logs` there"
"""What a person can do about a demonstration that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A verb that has ended.

    Attributes:
        document: what it printed with `--json`.
    """

    code: int
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that was started.

    Attributes:
        command: as one would type it.
        voice: the stream on which it tells how far it is.
    """

    command: str
    process: asyncio.subprocess.Process
    voice: asyncio.StreamReader

    async def said(self, words: str) -> str:
        """Wait for a line that starts with the words, and give it.

        Raises:
            Misuse: it ended before, or took too long.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while line := await self.voice.readline():
                    if line.decode(errors="replace").startswith(words):
                        return line.decode(errors="replace").strip()
        except TimeoutError:
            raise Misuse(f"`{self.command}` did not say {words!r} in {_PATIENCE_S:.0f} s", hint=LOOK_HINT) from None
        raise Misuse(f"`{self.command}` ended before it said {words!r}", hint=LOOK_HINT)

    async def ended(self) -> Ended:
        """Wait for the end of a verb.

        Raises:
            Misuse: it took too long, or printed something else than one document.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                printed, _ = await self.process.communicate()
            document: dict[str, Any] = msgspec.json.decode(printed, type=dict[str, Any])
        except TimeoutError:
            raise Misuse(f"`{self.command}` did not end in {_PATIENCE_S:.0f} s", hint=LOOK_HINT) from None
        except msgspec.MsgspecError:
            raise Misuse(f"`{self.command}` ended without a document", hint=LOOK_HINT) from None
        assert self.process.returncode is not None  # it has ended
        return Ended(code=self.process.returncode, document=document)

    async def done(self) -> Document:
        """Wait for the good end of a verb, and give its document.

        Raises:
            Misuse: as `ended`, or it failed.
        """
        ended = await self.ended()
        if ended.code != 0:
            problem = ended.document.get("error", {}).get("message", "no reason given")
            raise Misuse(f"`{self.command}` ended with {ended.code}: {problem}", hint=LOOK_HINT)
        return ended.document


class Processes:
    """Starts processes for the length of a block.

    Args:
        folder: takes `commands.txt` and the folder `logs`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Running] = []

    async def __aenter__(self) -> Self:
        (self._folder / "logs").mkdir()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await together(*(self.stop(running) for running in self._running))

    async def verb(self, *arguments: str | Path) -> Document:
        """Run a verb to its end and give its document.

        Raises:
            Misuse: it failed.
        """
        return await (await self.begin(*arguments)).done()

    async def run(self, *arguments: str | Path, folder: Path | None = None) -> Ended:
        """Run a verb to its end, whatever the end is.

        Args:
            arguments: what one would type after `gsp`; `--json` is added.
            folder: where it runs; None is here.
        """
        return await (await self.begin(*arguments, folder=folder)).ended()

    async def begin(self, *arguments: str | Path, folder: Path | None = None) -> Running:
        """Begin a verb that says on standard error how far it is."""
        return await self._start((*arguments, "--json"), errors=asyncio.subprocess.PIPE, folder=folder)

    async def node(self, name: str, *arguments: str | Path) -> Running:
        """Start a node and wait until it is ready. Its log goes into a file of its name."""
        with (self._folder / "logs" / f"{name}.log").open("ab") as log:
            running = await self._start(arguments, errors=log)
        await running.said("ready")
        return running

    async def stop(self, running: Running) -> None:
        """Ask a process to stop, and see that it has. What has stopped already is left alone."""
        process = running.process
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    async def kill(self, running: Running) -> None:
        """End a process without warning, as a power cut does."""
        os.killpg(running.process.pid, signal.SIGKILL)
        await running.process.wait()

    async def _start(self, arguments: tuple[str | Path, ...], *, errors: int | BinaryIO, folder: Path | None = None) -> Running:
        command = shlex.join(["gsp", *map(str, arguments)])
        with (self._folder / "commands.txt").open("a", encoding="utf-8") as commands:
            commands.write(command + "\n")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "node",
            *map(str, arguments),
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("GSP_")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        voice = process.stderr or process.stdout
        assert voice is not None  # both were asked for
        running = Running(command=command, process=process, voice=voice)
        self._running.append(running)
        return running


async def together(*jobs: Awaitable[Result]) -> list[Result]:
    """Do everything at once and give the results in order; the first failure ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(job)) for job in jobs]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def _awaited(job: Awaitable[Result]) -> Result:
    return await job
