"""The federation of the demonstration: founded, joined, loaded and run with the same verbs that an operator types."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from federation.errors import Misuse
from node.cli.demonstration.cast import Books, Cast, Member, pattern_file, policy_file
from node.cli.demonstration.processes import LOOK_HINT, Processes, Running, together
from node.cli.serving import private_file
from node.cli.session import Session, Surroundings, session

SECRETARIAT: Final = "secretariat"
_FOUNDERS: Final = 2
"""How many founders sign each admission here; the genesis entry asks for that many of three."""
_LEARNING_S: Final = 30.0
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """Everything that runs, and where its files are.

    Attributes:
        folder: with a folder for each participant.
        profiles: of the first officer of each Party.
    """

    folder: Path
    cast: Cast
    books: Books
    processes: Processes
    published: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Path] = field(default_factory=dict)
    _nodes: dict[str, Running] = field(default_factory=dict)

    @property
    def genesis(self) -> str:
        """Digest of the directory's first entry, as the Secretariat publishes it."""
        return self.published["genesis"]

    @property
    def log_key(self) -> str:
        """Key of the directory's log, as the Secretariat publishes it."""
        return self.published["log_key"]

    @property
    def process_ids(self) -> dict[str, int]:
        """Of every node, by name."""
        return {name: running.process.pid for name, running in self._nodes.items()}

    def home(self, name: str) -> Path:
        """The folder of one participant."""
        return self.folder / name

    async def build(self, say: Callable[[str], None]) -> None:
        """Found it, let everybody join, load the books, sign the mandates, start the nodes.

        Args:
            say: told each step in words.

        Raises:
            Misuse: a step failed.
        """
        private_file(self.folder / "passphrase", secrets.token_hex(16) + "\n")
        await self._found()
        say("The Secretariat has founded the directory and runs its node.")
        await together(*(self._join(member) for member in self.cast.parties))
        say(f"{len(self.cast.parties)} Parties have joined: invited, fingerprint compared, admitted by {_FOUNDERS} founders.")
        represented = [member for member in self.cast.parties if member.answered_by is not None]
        await together(
            *(self._load(member) for member in self.cast.nodes),
            *(self._give_mandate(member, member.answered_by) for member in represented if member.answered_by is not None),
        )
        say("Each Party has loaded its own records; two small Parties have let their region answer for them.")
        await together(*(self.start(member.party) for member in self.cast.nodes))

    async def start(self, party: str) -> None:
        """Start a Party's node and wait until it is ready."""
        self._nodes[party] = await self.processes.node(party, "party", "run", *self._keys(party))

    async def cut_power(self, party: str) -> None:
        """End a Party's node without warning."""
        await self.processes.kill(self._nodes[party])

    @asynccontextmanager
    async def officer(self, party: str) -> AsyncIterator[Session]:
        """A Party's officer at the desk of the own node."""
        async with session(Surroundings(), self.profiles[party]) as officer:
            yield officer

    async def known_at(self, officer: Session) -> None:
        """Wait until the officer's node has everybody's patterns: nodes that have just started still introduce themselves.

        Raises:
            Misuse: it took too long.
        """
        others = [member.party for member in self.cast.parties if member.party != officer.profile.officer.party]
        codes = [self.books.code(party, "pack-sold") for party in others]
        try:
            async with asyncio.timeout(_LEARNING_S):
                while True:
                    found = await officer.desk.resolve(codes)
                    if all(
                        party in {ranked.candidate.party for ranked in one.parties}
                        for party, one in zip(others, found, strict=True)
                    ):
                        return
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise Misuse("the nodes did not learn each other's patterns", hint=LOOK_HINT) from None

    def _keys(self, name: str) -> tuple[str | Path, ...]:
        return ("--home", self.home(name), "--passphrase-file", self.folder / "passphrase")

    async def _found(self) -> None:
        made = await self.processes.verb(
            *("secretariat", "init", *self._keys(SECRETARIAT), "--domain", self.cast.domain, "--keystore-cost", "minimal")
        )
        self.published.update(genesis=made["genesis"], log_key=made["log_key"])
        self._nodes[SECRETARIAT] = await self.processes.node(SECRETARIAT, SECRETARIAT, "run", *self._keys(SECRETARIAT))

    async def _join(self, member: Member) -> None:
        """Invited by the Secretariat; the Party reads its fingerprint aloud; the founders compare it and sign."""
        invited = await self.processes.verb(SECRETARIAT, "invite", member.party, "--home", self.home(SECRETARIAT))
        joining = await self.processes.begin(
            *("party", "join", invited["code"], *self._keys(member.party), "--genesis", self.genesis),
            *("--name", member.name, "--keystore-cost", "minimal", *self._nature(member)),
        )
        fingerprint = (await joining.said("fingerprint")).rpartition(": ")[2]
        keys = self.home(SECRETARIAT) / "take-away"
        await self.processes.verb(
            *(SECRETARIAT, "admit", member.party, "--home", self.home(SECRETARIAT), "--fingerprint", fingerprint),
            *(part for number in range(1, _FOUNDERS + 1) for part in ("--founder-key", keys / f"founder-{number}.key")),
        )
        joined = await joining.done()
        self.profiles[member.party] = Path(joined["officer"])

    def _nature(self, member: Member) -> tuple[str | Path, ...]:
        answered = self.cast.answers_for(member.party)
        patterns = [part for party in answered for part in ("--patterns", pattern_file(party))]
        policy = ("--policy", policy_file(member.policy)) if member.policy is not None else ()
        region = ("--region",) if member.is_region else ()
        represented = ("--no-node",) if member.answered_by is not None else ()
        return (*patterns, *policy, *region, *represented)

    async def _load(self, member: Member) -> None:
        path = self.folder / f"records-{member.party}.ndjson"
        self.books.write(self.cast.answers_for(member.party), path)
        await self.processes.verb("party", "load", path, "--home", self.home(member.party))

    async def _give_mandate(self, member: Member, region: str) -> None:
        """The region offers; the member accepts and enters it into the directory."""
        path = self.folder / f"mandate-{member.party}-{region}"
        await self.processes.verb("party", "mandate", "offer", member.party, *self._keys(region), "--output", path)
        await self.processes.verb("party", "mandate", "accept", path, *self._keys(member.party))
