"""A running Secretariat and Parties that join it, in one process over real connections: for tests of whole nodes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from federation.boundary.directory import sign_body
from federation.identity import PartyId
from federation.trust.entries import EntryKind
from federation.trust.join_code import JoinCode, decode_join_code
from federation.trust.keys import SoftwareSigner
from node import secretariat
from node.cli.serving import free_address, world
from node.config import NodeSettings, NodeToken, SecretariatSettings
from node.joining import Joined, Joining, join
from node.keystore import Cost
from node.store.tray import Approval, Tray
from tests.support.token import PIN

PASSPHRASE = b"only for testing"


@dataclass
class Centre:
    """A running Secretariat."""

    root: Path
    genesis: bytes

    async def invite(self, party: str) -> JoinCode:
        code = secretariat.invite(self.root, PartyId(party), entropy=secrets.token_bytes, now=world().now())
        await self.taken(f"invite-{party}-*.done")
        return decode_join_code(code)

    async def taken(self, pattern: str) -> Path:
        async with asyncio.timeout(10):
            while not (found := sorted((self.root / "tray").glob(pattern))):
                await asyncio.sleep(0.02)
        return found[0]

    async def pending(self, party: str) -> bytes:
        path = self.root / "pending" / f"{party}.admit"
        async with asyncio.timeout(10):
            while not path.exists():
                await asyncio.sleep(0.02)
        return path.read_bytes()

    def approve(self, party: str, body: bytes, seed: bytes) -> None:
        signature = sign_body(EntryKind.ADMIT, body, SoftwareSigner(seed))
        Tray(self.root / "tray").put(Approval(party=PartyId(party), signature=signature))

    def founder(self, number: int) -> bytes:
        return bytes.fromhex((self.root / "take-away" / f"founder-{number}.key").read_text())


@asynccontextmanager
async def a_centre(root: Path) -> AsyncIterator[Centre]:
    """Found a treaty in a folder and run its Secretariat."""
    settings = SecretariatSettings(
        domain="gsp.example", genesis="0" * 64, listen=free_address("127.0.0.1:0"), join=free_address("127.0.0.1:0")
    )
    made = await secretariat.initialise(
        root, settings=settings, passphrase=PASSPHRASE, founders=3, threshold=2, world=world(), cost=Cost.MINIMAL
    )
    async with secretariat.running(root, PASSPHRASE):
        yield Centre(root=root, genesis=bytes.fromhex(made.genesis))


def joining(
    home: Path,
    code: JoinCode,
    genesis: bytes,
    *,
    wait_s: float = 20,
    told: list[str] | None = None,
    token: NodeToken | None = None,
    patterns: tuple[str, ...] = (),
    policy: str | None = None,
    public: str | None = None,
) -> Joining:
    return Joining(
        home=home,
        code=code,
        genesis=genesis,
        settings=NodeSettings(
            party=code.party,
            name="A Party",
            domain="unknown.invalid",
            genesis="0" * 64,
            secretariat="127.0.0.1:1",
            listen=free_address("127.0.0.1:0"),
            desk=free_address("127.0.0.1:0"),
            public=public,
            patterns=patterns,
            policy=policy,
            pkcs11=token,
        ),
        with_node=True,
        passphrase=PASSPHRASE,
        cost=Cost.MINIMAL,
        pin=PIN if token is not None else None,
        wait_s=wait_s,
        show_next_key=(told if told is not None else []).append,
        tell=lambda _words: None,
    )


async def admitted(centre: Centre, home: Path, code: JoinCode, **how: object) -> Joined:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(join(joining(home, code, centre.genesis, **how), world()))
        body = await centre.pending(code.party)
        for number in (1, 2):
            centre.approve(code.party, body, centre.founder(number))
    return waiting.result()
