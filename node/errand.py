"""An errand: what the command line does in the Party's name, with its keys, beside a node that may be running or may be unable to.

The directory is the node's own replica, or a copy of it while the node has the file open. What is submitted goes to the Secretariat
under a certificate made for the moment; the running node reads it there within seconds. A Party whose CA has ended has no such
certificate: its entry goes to the join port, where nobody needs one, because the entry's own signatures are what counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from federation.boundary.directory import compose_entry
from federation.errors import Conflict, FederationError, InvalidConfiguration, NotFound, Unreachable
from federation.ports import Notice, NoticeKind, Peer
from federation.trust.entries import EntryBody, Revoke
from federation.trust.keys import Signer
from federation.trust.roster import PartyRecord
from node.config import NodeSettings
from node.keystore import Custody, Keystore
from node.keystore.custody import named_key
from node.line import Following, node_name
from node.rpc.channels import Channels
from node.rpc.directory import GrpcDirectory
from node.rpc.enrolment import handing_in
from node.rpc.renewal import new_credential
from node.store.directory import SqliteDirectory
from node.use_cases.founding import secretariat_name
from node.use_cases.own_keys import DEFAULT_STANDS, OwnKeys, Stands
from node.use_cases.registry import Registry
from node.use_cases.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What it takes to act for a Party.

    Attributes:
        registry: the replica on disk, or a copy of it.
    """

    home: Path
    settings: NodeSettings
    custody: Custody
    world: World
    registry: Registry
    own_keys: OwnKeys

    @property
    def record(self) -> PartyRecord:
        """The Party as the directory has it.

        Raises:
            NotFound: it does not list this Party.
        """
        record = self.registry.roster.parties.get(self.settings.party_id)
        if record is None:
            raise NotFound("the directory here does not list this Party yet", hint="finish joining with `gsp party join`")
        return record

    def author(self) -> Signer:
        """The Party key that stands.

        Raises:
            Conflict: it was revoked.
            NotFound: it is not here.
        """
        listed = self.record.party_key
        if listed is None:
            raise Conflict(
                "the Party key was revoked", hint="put the next one in its place: `gsp keys rotate party --next-key FILE`"
            )
        return named_key(self.custody, "party", listed)

    async def follow(self) -> None:
        """Read what is new in the directory; with no certificate that is good, what is here has to do."""
        try:
            self.own_keys.ca()
        except Conflict:
            return
        async with self.line() as line:
            await line.registry.follow(line.service, line.secretariat)

    async def catch_up(self) -> None:
        """Read what is new where that is possible: a revocation waits for nobody."""
        with suppress(FederationError):  # away, or not to be believed; what is here has to do
            await self.follow()

    async def submit(self, body: EntryBody, signers: Sequence[Signer]) -> None:
        """Enter a statement into the directory, and read it back where that is possible.

        Raises:
            Unreachable: the Secretariat does not answer, or takes no certificate of ours; nothing was lost, do it again.
            Forbidden: the entry breaks its author rule.
        """
        leaf = compose_entry(body, signers)
        refused = await self._submitted(leaf)
        if refused is not None:
            await self._hand_in(leaf, refused)
        try:
            await self.follow()
        except Unreachable:
            return  # it stands at the Secretariat; the node reads it when it can

    async def tell(self, body: Revoke, signers: Sequence[Signer]) -> None:
        """Tell every node that the directory lists, the own one too: the Secretariat may be away, or hold a revocation back.

        Whom this does not reach hears it from the others. Nobody is told under a certificate of a CA that the directory does not
        list yet, so it is done before the CA that vouches for the connection is given up.
        """
        notice = Notice(kind=NoticeKind.REVOCATION, raw=compose_entry(body, signers))
        try:
            credential = new_credential(self.world, self.own_keys.ca(), node_name(self.settings))
        except Conflict:
            return
        roster = self.registry.roster
        listed = [party for party, record in roster.parties.items() if record.exchanges and record.node is not None]
        async with Channels(own=credential, clock=self.world.clock) as channels:
            service = GrpcDirectory(channels)

            async def tell(peer: Peer) -> None:
                with suppress(FederationError):  # a peer that is away hears it from another one
                    await service.tell(peer, notice)

            await asyncio.gather(*(tell(self.registry.peer(party)) for party in listed))

    async def _submitted(self, leaf: bytes) -> Unreachable | None:
        """Submit it with a certificate; gives why that did not come about."""
        if not self._has_listed_ca():
            return Unreachable("no CA of this Party that the directory lists is good any more")
        try:
            async with self.line() as line:
                await line.service.submit(line.secretariat, leaf)
        except Unreachable as refused:
            return refused
        return None

    def _has_listed_ca(self) -> bool:
        try:
            return self.own_keys.ca().certificate in self.record.standing_cas
        except Conflict:
            return False

    async def _hand_in(self, leaf: bytes, refused: FederationError) -> None:
        """At the join port, as a Party that has no certificate."""
        address = self.settings.secretariat_join
        if address is None:
            raise Unreachable(
                refused.message, hint="name the Secretariat's join port in node.toml (`secretariat_join`), and do it again"
            ) from refused
        anchors = self.registry.roster.governance.secretariat_cas
        name = secretariat_name(self.settings.domain)
        async with handing_in(address, name=name, anchors=anchors, clock=self.world.clock) as port:
            await port.renew(leaf)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Following]:
        """To the Secretariat, under a certificate made for the moment.

        Raises:
            Conflict: no CA of this Party is good any more.
        """
        credential = new_credential(self.world, self.own_keys.ca(), node_name(self.settings))
        async with Channels(own=credential, clock=self.world.clock) as channels:
            secretariat = Peer(
                name=secretariat_name(self.settings.domain),
                endpoint=self.settings.secretariat,
                anchors=self.registry.roster.governance.secretariat_cas,
            )
            yield Following(registry=self.registry, service=GrpcDirectory(channels), secretariat=secretariat)


@asynccontextmanager
async def errand(
    home: Path, settings: NodeSettings, keystore: Keystore, world: World, *, stands: Stands = DEFAULT_STANDS
) -> AsyncIterator[Errand]:
    """Act for the Party whose folder this is.

    Raises:
        InvalidConfiguration: the folder holds no directory; else as `Custody.open`.
    """
    path = home / "directory.sqlite"
    if not path.exists():
        raise InvalidConfiguration(f"{path} is missing", hint="finish joining with `gsp party join`")
    with Custody.open(keystore, owner=settings.party, token=settings.pkcs11) as custody:
        async with SqliteDirectory.beside(path) as store:
            registry = await Registry.load(store, bytes.fromhex(settings.genesis), world.clock)
            own_keys = OwnKeys(party=settings.party_id, registry=registry, clock=world.clock, source=custody, stands=stands)
            yield Errand(home=home, settings=settings, custody=custody, world=world, registry=registry, own_keys=own_keys)
