"""A founding ceremony with real files: founders, the root and the Secretariat, each in a folder of the own, under one passphrase."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from federation.identity import PartyId
from federation.trust.entries import EntryKind
from federation.trust.join_code import JoinCode, decode_join_code
from node import secretariat
from node.ceremony import draft, founder_signer, new_founder, new_root, prepare, sign_file, sign_request
from node.cli.serving import free_address, world
from node.config import NodeSettings
from node.formats.ceremony import PlanFile, read_entry, read_signature
from node.formats.standing import StatusFile, read_status
from node.joining import Joined, Joining, join
from node.keystore import Cost
from node.proposing import Proposed
from node.store.tray import Approval, Signed, Tray
from node.use_cases.founders import read_aloud

PASSPHRASE = b"only for testing"
PATIENCE_S = 20


@dataclass
class Hall:
    """Where the ceremony takes place."""

    folder: Path
    genesis: bytes = b""

    @property
    def home(self) -> Path:
        """The Secretariat's."""
        return self.folder / "secretariat"

    def founder(self, number: int) -> Path:
        """A founder's folder."""
        return self.folder / f"founder-{number}"

    def plan(self, *, founders: int = 3, threshold: int = 2, confirmations: int = 0) -> PlanFile:
        """A plan with new founders, or those that are there."""
        made = [
            new_founder(self.founder(number), PASSPHRASE, world=world(), cost=Cost.MINIMAL) for number in range(1, founders + 1)
        ]
        return PlanFile(
            domain="gsp.example",
            founders=tuple(sorted(one.public_key.hex() for one in made)),
            threshold=threshold,
            first_witnesses=(),
            confirmations=confirmations,
            listen=free_address("127.0.0.1:0"),
            join=free_address("127.0.0.1:0"),
            public=None,
            public_join=None,
        )

    def drafted(self, plan: PlanFile) -> Path:
        """Up to the genesis entry that waits for the founders."""
        new_root(self.folder / "root", PASSPHRASE, world=world(), cost=Cost.MINIMAL)
        prepared = prepare(self.home, plan, PASSPHRASE, world=world(), cost=Cost.MINIMAL)
        signed = sign_request(self.folder / "root", PASSPHRASE, prepared.request, prepared.digits, world=world())
        return draft(self.home, PASSPHRASE, signed, world=world())

    def sign(self, path: Path, founders: Sequence[int], *, claimed: str | None = None) -> list[Path]:
        """Founders sign an entry whose digits they heard."""
        entry = read_entry(path)
        digits = read_aloud(entry.kind, entry.body) if claimed is None else claimed
        return [sign_file(path, digits, founder_signer(self.founder(number), PASSPHRASE)) for number in founders]

    async def found(self, plan: PlanFile | None = None) -> None:
        """The whole ceremony."""
        path = self.drafted(self.plan() if plan is None else plan)
        signatures = self.sign(path, (1, 2, 3))
        self.genesis = bytes.fromhex(await secretariat.found_treaty(self.home, PASSPHRASE, signatures, world=world()))

    def hand_over(self, signatures: Sequence[Path]) -> list[Path]:
        """Lay signatures into the tray, as `gsp secretariat log` does."""
        laid = []
        for path in signatures:
            one = read_signature(path)
            if one.kind is EntryKind.ADMIT:
                party = PartyId(path.name.partition(".")[0])
                laid.append(Tray(self.home / "tray").put(Approval(party=party, signature=one.signature)))
            else:
                signed = Signed(kind=one.kind, entry=one.entry, signature=one.signature)
                laid.append(Tray(self.home / "tray").put(signed))
        return laid

    async def invite(self, party: str, *, anew: bool = False) -> JoinCode:
        """A join code that the running node knows."""
        code = secretariat.invite(self.home, PartyId(party), entropy=world().entropy, now=world().now(), anew=anew)
        await self.until(lambda: not list((self.home / "tray").glob("*.json")))
        return decode_join_code(code)

    async def admit(self, party: str, code: JoinCode, *, patterns: tuple[str, ...] = ()) -> Joined:
        """A Party joins and two founders sign."""
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(join(self.joining(self.folder / party, code, patterns=patterns), world()))
            path = self.home / "pending" / f"{party}.admit"
            await self.until(path.exists)
            self.hand_over(self.sign(path, (1, 2)))
        return waiting.result()

    def joining(
        self,
        home: Path,
        code: JoinCode,
        *,
        wait_s: float = PATIENCE_S,
        patterns: tuple[str, ...] = (),
        told: list[str] | None = None,
    ) -> Joining:
        """What `gsp party join` begins with."""
        return Joining(
            home=home,
            code=code,
            genesis=self.genesis,
            settings=NodeSettings(
                party=code.party,
                name=f"The land of {code.party}",
                domain="unknown.invalid",
                genesis="0" * 64,
                secretariat="127.0.0.1:1",
                listen=free_address("127.0.0.1:0"),
                desk=free_address("127.0.0.1:0"),
                patterns=patterns,
            ),
            with_node=True,
            passphrase=PASSPHRASE,
            cost=Cost.MINIMAL,
            wait_s=wait_s,
            show_next_key=(told if told is not None else []).append,
            tell=lambda _words: None,
        )

    async def enact(self, proposed: Proposed, founders: Sequence[int] = (1, 2)) -> None:
        """Founders sign a proposal, and it is logged."""
        before = self.status()
        self.hand_over(self.sign(proposed.path, founders))
        await self.until(proposed.path.with_name(f"{proposed.path.name}.logged").exists)
        await self.until(lambda: self.status().size + self.status().waiting > before.size + before.waiting)

    def status(self) -> StatusFile:
        """What the node last wrote."""
        return read_status(self.home / "status.json")

    async def until(self, holds) -> None:
        """Wait for something that another task does."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.02)
