"""The federation of the demonstration: founded, joined, loaded and run with the same verbs that an operator types."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
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
FOUNDERS: Final = ("founder-1", "founder-2", "founder-3")
"""People of the treaty body; each has a folder of the own and works in a process of the own."""
_SIGNING: Final = FOUNDERS[:2]
"""Two of the three have to sign each admission."""
_CONFIRMATIONS: Final = 2
_LEARNING_S: Final = 30.0
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """Everything that runs, and where its files are.

    Attributes:
        folder: with a folder for each participant.
        profiles: of the first officer of each Party.
        fingerprints: as the Parties read them aloud.
    """

    folder: Path
    cast: Cast
    books: Books
    processes: Processes
    published: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Path] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
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
        """Found it, let everybody join, load the books, confirm each other, sign the mandates, start the nodes.

        Args:
            say: told each step in words.

        Raises:
            Misuse: a step failed.
        """
        private_file(self.folder / "passphrase", secrets.token_hex(16) + "\n")
        await self._found()
        say("Three founders and the holder of the root have founded the directory, each with a key of the own; it runs.")
        witnesses = [member for member in self.cast.parties if member.party in self.cast.first_witnesses]
        others = [member for member in self.cast.parties if member not in witnesses]
        await self._enter(witnesses)
        await self._enter(others)
        say(f"{len(self.cast.parties)} Parties have joined: invited, fingerprint compared, admitted by {len(_SIGNING)} founders.")
        await together(*(self._confirm_all(party) for party in self.cast.first_witnesses))
        names = ", ".join(self.cast.member(party).name for party in self.cast.first_witnesses)
        say(f"{names} witness the directory; each of them has called all others, and confirmed them.")
        represented = [member for member in self.cast.parties if member.answered_by is not None]
        await together(
            *(self._give_mandate(member, member.answered_by) for member in represented if member.answered_by is not None),
        )
        say("Each Party has loaded its own records; two small Parties have let their region answer for them.")
        await together(*(self.start(member.party) for member in self.cast.nodes if member.party not in self._nodes))

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
        """The ceremony: what is said aloud in a room is here handed from one process to the next."""
        cheap, center = ("--keystore-cost", "minimal"), self.home(SECRETARIAT)
        made = await together(
            *(self.processes.verb("founder", "new", *self._keys(name), *cheap) for name in FOUNDERS),
            self.processes.verb("root", "new", *self._keys("root"), *cheap),
        )
        prepared = await self.processes.verb(
            *(SECRETARIAT, "prepare", *self._keys(SECRETARIAT), "--domain", self.cast.domain, *cheap),
            *(part for one in made[: len(FOUNDERS)] for part in ("--founder", one["file"])),
            *(part for party in self.cast.first_witnesses for part in ("--first-witness", party)),
            *("--threshold", str(len(_SIGNING)), "--confirmations", str(_CONFIRMATIONS)),
        )
        signed = await self.processes.verb(
            "root", "sign", prepared["request"], *self._keys("root"), "--fingerprint", prepared["digits"]
        )
        drafted = await self.processes.verb(SECRETARIAT, "genesis", signed["file"], *self._keys(SECRETARIAT))
        signatures = await self._signed(FOUNDERS, [(drafted["file"], drafted["digits"])])
        founded = await self.processes.verb(SECRETARIAT, "found", *signatures, *self._keys(SECRETARIAT))
        self.published.update(genesis=founded["genesis"], log_key=founded["log_key"])
        await self.processes.verb(SECRETARIAT, "sheet", "--home", center, "--output", self.folder / "sheet.html")
        self._nodes[SECRETARIAT] = await self.processes.node(SECRETARIAT, SECRETARIAT, "run", *self._keys(SECRETARIAT))

    async def _signed(self, founders: Sequence[str], entries: Sequence[tuple[str | Path, str]]) -> list[str]:
        """Signature files of some founders, each of whom hears the digits of every entry."""
        files = [file for file, _ in entries]
        digits = [part for _, heard in entries for part in ("--fingerprint", heard)]
        signed = await together(
            *(self.processes.verb("founder", "sign", *files, *self._keys(name), *digits) for name in founders)
        )
        return [path for one in signed for path in one["signatures"]]

    async def _enter(self, members: Sequence[Member]) -> None:
        """Invited by the Secretariat, joining; the Parties read their fingerprints aloud; founders compare them and sign."""
        joining = await together(*(self._join(member) for member in members))
        spoken = [(await one.said("fingerprint")).rpartition(": ")[2] for one in joining]
        for member, fingerprint in zip(members, spoken, strict=True):
            self.fingerprints[member.party] = fingerprint
        await together(*(self._laid_out(member.party) for member in members))
        pending = self.home(SECRETARIAT) / "pending"
        entries = [(pending / f"{member.party}.admit", self.fingerprints[member.party]) for member in members]
        signatures = await self._signed(_SIGNING, entries)
        await self.processes.verb(SECRETARIAT, "log", *signatures, "--home", self.home(SECRETARIAT))
        await together(*(self._finish(member, one) for member, one in zip(members, joining, strict=True)))

    async def _join(self, member: Member) -> Running:
        invited = await self.processes.verb(SECRETARIAT, "invite", member.party, "--home", self.home(SECRETARIAT))
        return await self.processes.begin(
            *("party", "join", invited["code"], *self._keys(member.party), "--genesis", self.genesis),
            *("--name", member.name, "--keystore-cost", "minimal", *self._nature(member)),
        )

    async def _laid_out(self, party: str) -> None:
        """Wait until the Secretariat has laid the admission out for the founders.

        Raises:
            Misuse: it took too long.
        """
        path = self.home(SECRETARIAT) / "pending" / f"{party}.admit"
        try:
            async with asyncio.timeout(_LEARNING_S):
                while not path.exists():  # noqa: ASYNC110  # another process writes the file
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise Misuse(f"the admission of {party} was not laid out", hint=LOOK_HINT) from None

    async def _finish(self, member: Member, joining: Running) -> None:
        """The end of joining, the Party's records, and at once the node of a witness: from now on the directory waits for it."""
        joined = await joining.done()
        self.profiles[member.party] = Path(joined["officer"])
        if member.answered_by is None:
            await self._load(member)
        if member.party in self.cast.first_witnesses:
            await self.start(member.party)

    async def _confirm_all(self, party: str) -> None:
        """One Party has called each of the others, and vouches for what was read aloud."""
        called = [one.party for one in self.cast.parties if one.party != party]
        heard = [part for other in called for part in ("--fingerprint", self.fingerprints[other])]
        await self.processes.verb("party", "confirm", *called, *self._keys(party), *heard)

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
