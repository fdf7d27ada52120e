"""Real nodes, each a process with files of its own, that are killed while links between them break; and what their files say then.

The Secretariat runs in this process, and so do the officers. Every node is reached through a link that can be cut.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from federation.errors import FederationError, NotFound
from federation.identity import MessageId, PartyId
from node.cli.serving import free_address
from node.clock import SystemClock
from node.config import read_node_settings
from node.rpc.desk import DeskClient
from node.rpc.officer import OfficerKey
from tests.soak.files import Books, read_books, unsettled
from tests.support.centre import PASSPHRASE, a_centre
from tests.support.checkout import ROOT
from tests.support.houses import House, house
from tests.support.parties import PARTIES
from tests.support.proxy import Link, link
from tests.support.simulated_officers import question, signature_of

READY_S = 90.0
PATIENCE_S = 600.0
"""In this time everything is delivered after the last kill: twice the longest pause between two tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is asked, and what happens meanwhile.

    Attributes:
        kills, cuts: how many, spread evenly over the questions; which node and which link is drawn from the seed.
        at_once: questions under way at a time.
    """

    parties: int
    questions: int
    seed: int
    kills: int = 0
    cuts: int = 0
    at_once: int = 16


@dataclass
class RealNode:
    """One Party: its folder, its process, and the link to it."""

    house: House
    link: Link
    process: asyncio.subprocess.Process | None = None
    kills: int = 0
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def party(self) -> PartyId:
        return self.house.party

    async def start(self) -> None:
        """Start the process, and wait until it serves."""
        async with self._starting:
            if self.process is not None:
                return
            secret = self.house.home.with_name("passphrase")
            words = ("party", "run", "--home", str(self.house.home), "--passphrase-file", str(secret))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "node", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=ROOT,
            )
            self.process = process
            assert process.stdout is not None
            async with asyncio.timeout(READY_S):
                line = await process.stdout.readline()
            assert line.startswith(b"ready"), f"{self.party} did not start: {line!r}"

    async def kill(self) -> None:
        """kill -9, in the middle of whatever it does."""
        async with self._starting:
            process, self.process = self.process, None
            if process is not None:
                self.kills += 1
                process.kill()
                await process.communicate()

    async def stop(self) -> None:
        """End it as an operator does."""
        async with self._starting:
            process, self.process = self.process, None
            if process is not None:
                process.terminate()
                await process.communicate()

    def desk(self) -> DeskClient:
        """Its desk, for its first officer."""
        joined, officer = self.house.joined, self.house.officer
        return DeskClient(
            endpoint=joined.desk,
            node=joined.node,
            anchors=(joined.party_ca,),
            key=OfficerKey(certificate=officer.certificate, signer=officer.signer),
            clock=SystemClock(),
        )

    async def ask(self, to: PartyId, code: str) -> MessageId:
        """Ask until it is written down; an officer repeats what nobody can say of whether it was."""
        asked, officer = question(to, code), self.house.officer
        while True:
            async with self.desk() as desk:
                try:
                    prepared = await desk.prepare_query(asked)
                except FederationError:
                    await asyncio.sleep(0.3)
                    continue
                try:
                    await desk.submit_query(prepared.message_id, signature_of(officer, prepared))
                except FederationError:
                    if not await self._has_written(prepared.message_id):
                        continue
                return prepared.message_id

    async def _has_written(self, message_id: MessageId) -> bool:
        while True:
            async with self.desk() as desk:
                try:
                    await desk.query(message_id)
                except NotFound:
                    return False
                except FederationError:
                    await asyncio.sleep(0.3)
                else:
                    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in the files.

    Attributes:
        asked: what officers were told was written down.
        faults: everything that should not be so, in words.
    """

    trouble: Trouble
    asked: int
    messages: int
    receipts: int
    kills: int
    faults: tuple[str, ...]
    wall_s: float

    @property
    def is_good(self) -> bool:
        return not self.faults

    def summary(self) -> str:
        """One line, and one for each fault."""
        line = (
            f"seed {self.trouble.seed}: {self.trouble.parties} real nodes, {self.asked} questions, {self.messages} messages, "
            f"{self.receipts} receipts, {self.kills} kills, {self.trouble.cuts} cuts, {len(self.faults)} faults; {self.wall_s:.0f} s"
        )
        return "\n".join([line, *self.faults[:20]])


@asynccontextmanager
async def _settled(folder: Path, parties: int) -> AsyncIterator[list[RealNode]]:
    """Founded, joined, running."""
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(a_centre(folder / "secretariat"))
        (folder / "passphrase").write_bytes(PASSPHRASE)
        nodes = []
        for party in PARTIES[:parties]:
            front = free_address("127.0.0.1:0")
            one = await house(centre, folder, party, public=front)
            nodes.append(
                RealNode(
                    house=one,
                    link=await stack.enter_async_context(link(front, read_node_settings(one.home / "node.toml").listen)),
                )
            )
        try:
            await asyncio.gather(*(node.start() for node in nodes))
            yield nodes
        finally:
            await asyncio.gather(*(node.stop() for node in nodes))


class _Troubled:
    def __init__(self, nodes: list[RealNode], trouble: Trouble) -> None:
        self.nodes = nodes
        self.trouble = trouble
        self.chances = random.Random(f"nodes/{trouble.seed}")
        self.asked: list[tuple[PartyId, MessageId]] = []
        self._group: asyncio.TaskGroup | None = None
        self._left = [self.chances.sample(nodes, 2) for _ in range(trouble.questions)]
        self._at = {
            **{self._place(number, trouble.kills): self._kill for number in range(trouble.kills)},
            **{self._place(number, trouble.cuts) + 1: self._cut for number in range(trouble.cuts)},
        }

    def _place(self, number: int, of: int) -> int:
        """After which question one of so many troubles comes."""
        return (2 * number + 1) * self.trouble.questions // (2 * of)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            for _ in range(self.trouble.at_once):
                group.create_task(self._work())

    async def _work(self) -> None:
        assert self._group is not None
        while self._left:
            asker, answerer = self._left.pop()
            message_id = await asker.ask(answerer.party, f"{answerer.party.upper()}{len(self._left):08}")
            self.asked.append((asker.party, message_id))
            trouble = self._at.pop(len(self.asked), None)
            if trouble is not None:
                self._group.create_task(trouble())

    async def _kill(self) -> None:
        node = self.chances.choice(self.nodes)
        pause_s = self.chances.choice([0.0, 0.2, 1.0])
        await node.kill()
        await asyncio.sleep(pause_s)
        await node.start()

    async def _cut(self) -> None:
        broken = self.chances.choice(self.nodes).link
        how = self.chances.choice([broken.cut, broken.stall])
        how()
        await asyncio.sleep(self.chances.uniform(0.1, 1.0))
        broken.mend()


async def troubled(folder: Path, trouble: Trouble) -> Report:
    """Everything, from an empty folder to the report."""
    begun = time.monotonic()
    async with _settled(folder, trouble.parties) as nodes:
        work = _Troubled(nodes, trouble)
        await work.run()
        await _all_answered(nodes)
        kills = sum(node.kills for node in nodes)
    books = {node.party: await read_books(node.house.home, PASSPHRASE) for node in nodes}
    return Report(
        trouble=trouble,
        asked=len(work.asked),
        messages=sum(len(one.sent) for one in books.values()),
        receipts=sum(crossing.receipt is not None for one in books.values() for crossing in one.sent.values()),
        kills=kills,
        faults=tuple(_faults(books, work.asked)),
        wall_s=time.monotonic() - begun,
    )


async def _all_answered(nodes: list[RealNode]) -> None:
    """Until every query has its end and nothing is on its way, by the files. What is missing then is a fault, and told later."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while any(unsettled(node.house.home) for node in nodes):
                await asyncio.sleep(0.5)
    except TimeoutError:
        pass


def _faults(books: dict[PartyId, Books], asked: list[tuple[PartyId, MessageId]]) -> list[str]:
    faults = [fault for one in books.values() for fault in one.faults(books)]
    for party, message_id in asked:
        query = books[party].asked.get(message_id)
        if query is None:
            faults.append(f"{party} lost {message_id.hex()}")
    return faults
