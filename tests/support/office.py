"""A Party's desk with its officers' administration: real TLS, real signatures, real SQLite, and a clock that a test can set."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from federation import limits
from federation.identity import OfficerName
from federation.trust.certificate import read_pinned_ca
from federation.trust.desk_code import DeskCode, ca_key_hash
from federation.trust.entries import Authority, AuthorityKind
from federation.trust.issuing import issue_officer_certificate
from federation.trust.keys import SoftwareSigner
from node.cli.profile import write_profile
from node.rpc.administration import AdministrationClient, AdministrationServicer
from node.rpc.desk import DeskClient, DeskServicer
from node.rpc.interceptors import desk_chain
from node.rpc.officer import OfficerGate, OfficerKey
from node.rpc.officer_enrolment import OfficerEnrolmentServicer, greeting
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.store.officers import SqliteOfficers
from node.store.vault import Vault
from node.use_cases.administration_values import InvitationWanted, Reply
from node.use_cases.officers import OfficerChange, OfficerStore
from node.use_cases.personnel import OfficerParts, Personnel, employ
from node.use_cases.rights import Grant
from node.use_cases.world import World
from tests.support.fake_desk import FakeDesk
from tests.support.memory_officers import registered
from tests.support.rpc import DOMAIN, QM, SetClock, Treaty, node_name

CUSTOMS = Authority(kind=AuthorityKind.CUSTOMS, name="Customs")
NODE = node_name(QM)


@dataclass
class Person:
    """An officer's own side: the key, and what the node gave for it."""

    name: OfficerName
    signer: SoftwareSigner
    certificate: bytes
    seed: bytes = b""

    @property
    def key(self) -> OfficerKey:
        return OfficerKey(certificate=self.certificate, signer=self.signer)


@dataclass
class Office:
    """Where the desk stands, and what a test needs to change it.

    Attributes:
        desk: answers behind the gate; what it would say is not what is tested here.
    """

    treaty: Treaty
    store: OfficerStore
    personnel: Personnel
    clock: SetClock
    desk: FakeDesk
    port: int
    issued: list[bytes] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def party_ca(self) -> bytes:
        return self.treaty.ca(QM).certificate

    def certify(self, public_key: bytes, name: OfficerName, life_s: int = limits.OFFICER_CERTIFICATE_LIFE_S) -> bytes:
        certificate = issue_officer_certificate(
            public_key, name=name, ca=self.treaty.ca(name.party), now=self.clock.now(), entropy=os.urandom, life_s=life_s
        )
        self.issued.append(certificate)
        return certificate

    async def hire(self, officer_id: str, grants: Sequence[Grant] | None = None) -> Person:
        """An officer who is there when the test begins; with all rights unless it says otherwise."""
        seed = os.urandom(32)
        signer = SoftwareSigner(seed)
        name = OfficerName(party=QM, officer_id=officer_id, domain=DOMAIN)
        certificate = self.certify(signer.public_key, name)
        officer = registered(name, certificate, grants=tuple(grants) if grants is not None else None)
        await self.store.commit(OfficerChange(officers=((None, officer),)))
        return Person(name=name, signer=signer, certificate=certificate, seed=seed)

    def profile(self, folder: Path, person: Person) -> Path:
        """The profile of somebody who was hired."""
        write_profile(
            folder,
            officer=person.name,
            desk=self.endpoint,
            node=NODE,
            certificate=person.certificate,
            party_cas=(self.party_ca,),
            seed=person.seed,
        )
        return folder

    def at_desk(self, person: Person) -> DeskClient:
        return DeskClient(endpoint=self.endpoint, node=NODE, anchors=(self.party_ca,), key=person.key, clock=self.clock)

    def administering(self, person: Person) -> AdministrationClient:
        return AdministrationClient(endpoint=self.endpoint, node=NODE, anchors=(self.party_ca,), key=person.key, clock=self.clock)

    async def invite(self, administrator: Person, *grants: Grant, name: str = "Berta Beispiel", days: int = 30) -> Reply:
        wanted = InvitationWanted(name=name, authority=CUSTOMS, life_s=days * 86_400, grants=grants)
        async with self.administering(administrator) as administration:
            return await administration.invite(wanted)

    def code(self, reply: Reply) -> DeskCode:
        return DeskCode(
            address=self.endpoint, party=QM, token=reply.outcome.token, ca_key_sha256=ca_key_of(self.treaty.ca(QM).certificate)
        )

    async def enrol(self, code: DeskCode, signer: SoftwareSigner | None = None) -> Person:
        signer = signer or SoftwareSigner(os.urandom(32))
        async with greeting(code, clock=self.clock) as node:
            enrolled = await node.enrol(signer)
        name = OfficerName(party=code.party, officer_id=enrolled.officer_id, domain=DOMAIN)
        return Person(name=name, signer=signer, certificate=enrolled.certificate)


def ca_key_of(ca: bytes) -> bytes:
    return ca_key_hash(read_pinned_ca(ca, party=QM, domain=DOMAIN).public_key_info)


@asynccontextmanager
async def open_office(
    folder: Path,
    *,
    four_eyes: bool = False,
    treaty: Treaty | None = None,
    credential: NodeCredential | None = None,
    storage_key: bytes = b"k" * 32,
) -> AsyncIterator[Office]:
    """Open the desk of qm."""
    treaty, clock = treaty or Treaty(), SetClock(time.time())
    world = World(clock=clock, entropy=os.urandom)
    async with AsyncExitStack() as stack:
        vault = Vault(storage_key, entropy=os.urandom)
        store = await stack.enter_async_context(SqliteOfficers.open(folder / "officers.sqlite", vault=vault))
        office = Office(treaty=treaty, store=store, personnel=None, clock=clock, desk=FakeDesk(clock=clock), port=0)
        parts = OfficerParts(store=store, certify=office.certify, party_cas=lambda: (office.party_ca,), four_eyes=four_eyes)
        office.personnel = employ(parts, party=QM, node=NODE, world=world)
        gate = OfficerGate(
            node=NODE,
            party=QM,
            anchors=lambda: [office.party_ca],
            clock=clock,
            entropy=os.urandom,
            standing=office.personnel.entitlement.standing,
        )
        administration = AdministrationServicer(
            office.personnel.administration,
            office.personnel.enrolment,
            gate,
            ca_key_sha256=lambda: ca_key_of(office.party_ca),
        )
        tls = ServerTls(TlsSnapshot(credential=credential or treaty.credential(NODE), anchors=treaty.anchors(QM), domain=DOMAIN))
        office.port = await stack.enter_async_context(
            serving(
                "127.0.0.1:0",
                credentials=tls.guest_credentials(),
                routes={
                    **DeskServicer(office.desk, gate).routes(),
                    **administration.routes(),
                    **OfficerEnrolmentServicer(office.personnel.enrolment).routes(),
                },
                interceptors=desk_chain(timer=time.monotonic),
                reply_bytes_max=limits.DESK_REPLY_BYTES_MAX,
            )
        )
        yield office
