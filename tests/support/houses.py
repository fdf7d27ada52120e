"""Whole Parties whose keys change: their folders, their commands, their nodes over real connections."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from federation.identity import OfficerName, PartyId
from federation.query.lifecycle import AskedState
from federation.trust.desk_code import DeskCode
from federation.trust.entries import Authority, AuthorityKind
from federation.trust.keys import SoftwareSigner
from node import party
from node.cli.serving import world
from node.clock import SystemClock
from node.config import NodeToken, read_node_settings
from node.errand import Errand, errand
from node.joining import Joined
from node.keystore import Keystore
from node.officers import invite_by_operator, register_first
from node.rotation import Changed
from node.rpc.officer_enrolment import greeting
from node.use_cases.administration_values import InvitationWanted
from node.use_cases.desk_values import QueryView
from node.use_cases.officers import all_rights
from node.use_cases.own_keys import Stands
from node.use_cases.parts import Participant
from tests.support.centre import PASSPHRASE, Centre, admitted
from tests.support.parties import OfficerKit
from tests.support.simulated_officers import question, signature_of

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")
STANDS = Stands(ca_s=8, signing_s=8)
"""Longer than nodes rest between two looks at the log."""


@dataclass
class House:
    """One Party's folder, its first officer, and its next Party keys in the order in which they were shown."""

    home: Path
    joined: Joined
    shown: list[str] = field(default_factory=list)

    @property
    def party(self) -> PartyId:
        return self.joined.party

    @property
    def officer(self) -> OfficerKit:
        joined = self.joined
        return OfficerKit(name=joined.officer, certificate=joined.officer_certificate, signer=SoftwareSigner(joined.officer_seed))

    @asynccontextmanager
    async def errand(self, stands: Stands = STANDS) -> AsyncIterator[Errand]:
        keystore = Keystore.open(self.home / "keystore", PASSPHRASE)
        async with errand(self.home, read_node_settings(self.home / "node.toml"), keystore, world(), stands=stands) as one:
            yield one

    async def change(self, how: Callable[[Errand], Awaitable[Changed]], stands: Stands = STANDS) -> Changed:
        async with self.errand(stands) as one:
            return await how(one)

    def running(self, stands: Stands = STANDS):
        return party.running(self.home, PASSPHRASE, stands=stands)


async def house(
    centre: Centre, folder: Path, letters: str, *, token: NodeToken | None = None, public: str | None = None
) -> House:
    folder.mkdir(parents=True, exist_ok=True)
    policy = folder / "policy.toml"
    policy.write_text('standard = "automatic"\n')
    shown: list[str] = []
    joined = await admitted(
        centre,
        folder / letters,
        await centre.invite(letters),
        told=shown,
        token=token,
        policy=str(policy),
        public=public,
    )
    keystore = Keystore.open(folder / letters / "keystore", PASSPHRASE)
    await register_first(folder / letters, keystore, joined, authority=CUSTOMS, world=world())
    return House(home=folder / letters, joined=joined, shown=shown)


async def ask(node: Participant, officer: OfficerKit, to: PartyId, code: str) -> QueryView:
    prepared = await node.desk.prepare_query(officer.name, officer.certificate, question(to, code))
    return await node.desk.submit_query(officer.name, prepared.message_id, signature_of(officer, prepared))


async def ends_answered(node: Participant, officer: OfficerKit, view: QueryView) -> None:
    """Perhaps not at the first try: a revocation reaches others before the key that follows does, and what is sent meanwhile waits."""
    async with asyncio.timeout(60):
        while view.asked.state is not AskedState.ANSWERED:
            view = await node.desk.query(officer.name, view.asked.message_id, wait_s=5)


async def until(condition: Callable[[], object], *, wait_s: float = 30) -> None:
    async with asyncio.timeout(wait_s):
        while not condition():
            await asyncio.sleep(0.05)


async def acquainted(*nodes: Participant) -> None:
    """Until everybody has everybody's node entry and prekeys."""
    parties = [node.desk._own.party for node in nodes]
    await until(
        lambda: all(
            other == own or (other in node.registry.roster.parties and node.keyring.is_fresh(other))
            for node, own in zip(nodes, parties, strict=True)
            for other in parties
        )
    )


async def invited(house: House) -> DeskCode:
    """What the operator hands to an officer who is to have all rights, while the node runs."""
    keystore, settings = Keystore.open(house.home / "keystore", PASSPHRASE), read_node_settings(house.home / "node.toml")
    wanted = InvitationWanted(name="Ana Example", authority=CUSTOMS, life_s=30 * 86_400, grants=all_rights(CUSTOMS))
    invitation = await invite_by_operator(house.home, settings, keystore, wanted, desk=house.joined.desk, world=world())
    return invitation.code


async def new_officer(house: House) -> OfficerKit:
    """An officer whom the operator invites at the running node, and who enrols at its desk."""
    signer = SoftwareSigner(secrets.token_bytes(32))
    async with greeting(await invited(house), clock=SystemClock()) as node:
        enrolled = await node.enrol(signer)
    name = OfficerName(party=house.party, officer_id=enrolled.officer_id, domain=house.joined.officer.domain)
    return OfficerKit(name=name, certificate=enrolled.certificate, signer=signer)


async def typed(house: House, *words: str) -> tuple[int, dict]:
    """A command of the administrator, beside everything that runs here, and what it prints for programs."""
    secret = house.home.with_name("passphrase")
    secret.write_bytes(PASSPHRASE)
    line = [*words, "--home", str(house.home), "--passphrase-file", str(secret), "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node", "keys", *line, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    printed, _ = await process.communicate()
    return process.returncode, json.loads(printed)
