"""Joining over a port where only the server has a certificate, known by its hash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

import grpc
import pytest

from federation import limits
from federation.errors import FederationError, Forbidden, Overloaded, Unauthentic, Unreachable
from federation.identity import PartyId
from federation.trust.certificate import to_pem
from federation.trust.enrolment import Step
from federation.trust.entries import Signature
from federation.trust.join_code import JoinCode
from federation.v1 import directory_pb2
from node import limits as node_limits
from node.rpc import enrolment
from node.rpc.enrolment import EnrolmentServicer, enrolling, handing_in
from node.rpc.exchange import BUNDLES
from node.rpc.interceptors import join_chain
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls
from node.use_cases.registry_values import Admission, Application, EnrolmentState
from tests.support.rpc import QM, WALL_CLOCK, Treaty, node_name, snapshot_of

TOKEN = bytes(range(limits.JOIN_TOKEN_BYTES))
ACCEPTANCE = Signature(public_key=bytes(32), signature=bytes(64))
ADMISSION = Admission(genesis_leaf=b"genesis", admit_body=b"admit", directory_endpoint="directory.example:1")


@dataclass
class Registry:
    """The Secretariat's side, for one invitation."""

    applications: list[Application] = field(default_factory=list)
    acceptances: list[Signature] = field(default_factory=list)

    async def enrol(self, token: bytes, application: Application) -> Admission:
        self._check(token, application.party)
        self.applications.append(application)
        return ADMISSION

    async def accept(self, token: bytes, party: PartyId, acceptance: Signature) -> EnrolmentState:
        self._check(token, party)
        self.acceptances.append(acceptance)
        return EnrolmentState(step=Step.ACCEPTED, founders_signed=1, founders_needed=2)

    async def status(self, token: bytes, party: PartyId) -> EnrolmentState:
        self._check(token, party)
        return EnrolmentState(step=Step.LOGGED, founders_signed=2, founders_needed=2)

    async def renew(self, leaf: bytes) -> int:
        if leaf != b"entry":
            raise Forbidden("an entry of another kind")
        return 7

    def _check(self, token: bytes, party: PartyId) -> None:
        if (token, party) != (TOKEN, QM):
            raise Forbidden("this token is no invitation for that Party")


@dataclass
class JoinPort:
    address: str
    code: JoinCode
    credential: NodeCredential
    registry: Registry
    tls: ServerTls
    issuer: bytes


@asynccontextmanager
async def join_port() -> AsyncIterator[JoinPort]:
    treaty = Treaty()
    credential = treaty.credential(node_name(None))
    tls = ServerTls(snapshot_of(treaty, credential, ()))
    registry = Registry()
    async with serving(
        "127.0.0.1:0",
        credentials=tls.guest_credentials(),
        routes=EnrolmentServicer(registry).routes(),
        interceptors=join_chain(timer=time.monotonic),
    ) as port:
        address = f"127.0.0.1:{port}"
        code = JoinCode(address=address, party=QM, token=TOKEN, leaf_sha256=sha256(credential.certificate).digest())
        yield JoinPort(
            address=address, code=code, credential=credential, registry=registry, tls=tls, issuer=treaty.ca(None).certificate
        )


async def test_a_party_enrols_accepts_and_asks_how_far_it_is():
    async with join_port() as port, enrolling(port.code, clock=WALL_CLOCK) as secretariat:
        admission = await secretariat.enrol(party_ca_request=b"csr", party_key=bytes(32), next_key_hash=bytes(32))
        accepted = await secretariat.accept(ACCEPTANCE)
        logged = await secretariat.status()

    assert admission == ADMISSION
    assert port.registry.applications == [
        Application(party=QM, party_ca_request=b"csr", party_key=bytes(32), next_key_hash=bytes(32))
    ]
    assert port.registry.acceptances == [ACCEPTANCE]
    assert accepted == EnrolmentState(step=Step.ACCEPTED, founders_signed=1, founders_needed=2)
    assert logged.step is Step.LOGGED


async def test_a_party_without_a_certificate_hands_an_entry_in():
    async with join_port() as port:
        anchors = (port.issuer,)
        async with handing_in(port.address, name=node_name(None), anchors=anchors, clock=WALL_CLOCK) as secretariat:
            assert await secretariat.renew(b"entry") == 7
            with pytest.raises(Forbidden, match="another kind"):
                await secretariat.renew(b"something else")


async def test_an_entry_is_handed_in_to_nobody_but_the_secretariat():
    async with join_port() as port:
        stranger = Treaty().ca(None).certificate
        async with handing_in(port.address, name=node_name(None), anchors=(stranger,), clock=WALL_CLOCK) as secretariat:
            with pytest.raises(Unreachable):
                await secretariat.renew(b"entry")


async def test_a_server_with_another_certificate_hears_nothing():
    async with join_port() as port:
        with pytest.raises(Unauthentic, match="join code"):
            async with enrolling(replace(port.code, leaf_sha256=bytes(32)), clock=WALL_CLOCK):
                pass

    assert not port.registry.applications


async def test_a_server_that_shows_the_right_certificate_first_and_another_one_then_hears_nothing():
    treaty = Treaty()
    async with join_port() as port, enrolling(port.code, clock=WALL_CLOCK) as secretariat:
        port.tls.update(snapshot_of(treaty, treaty.credential(node_name(None)), ()))
        with pytest.raises(Unreachable, match="CA that the directory pins"):
            await secretariat.status()


async def test_nobody_at_the_address_is_unreachable():
    async with join_port() as port:
        code = port.code
    with pytest.raises(Unreachable, match="no node answers"):
        async with enrolling(code, clock=WALL_CLOCK):
            pass


async def test_something_else_at_the_address_is_unreachable():
    async def answer(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        code = JoinCode(address=f"127.0.0.1:{port}", party=QM, token=TOKEN, leaf_sha256=bytes(32))
        with pytest.raises(Unreachable):
            async with enrolling(code, clock=WALL_CLOCK):
                pass


async def test_a_token_for_another_party_is_refused():
    async with join_port() as port, enrolling(replace(port.code, party=PartyId("qn")), clock=WALL_CLOCK) as secretariat:
        with pytest.raises(Forbidden, match="no invitation"):
            await secretariat.status()


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (enrolment.STATUS, directory_pb2.EnrolmentStatusRequest(token=b"short", party="qm")),
        (enrolment.STATUS, directory_pb2.EnrolmentStatusRequest(token=TOKEN, party="Qm")),
        (enrolment.ENROL, directory_pb2.EnrolRequest(token=TOKEN, party="qm", party_key=bytes(31), next_key_hash=bytes(32))),
        (enrolment.ENROL, directory_pb2.EnrolRequest(token=TOKEN, party="qm", party_key=bytes(32))),
        (enrolment.ACCEPT, directory_pb2.AcceptRequest(token=TOKEN, party="qm")),
    ],
)
async def test_a_request_with_a_part_of_another_size_is_refused(method, message):
    async with join_port() as port, guest_channel(port) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await channel.unary_unary(method.path)(message.SerializeToString())

    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_nothing_but_joining_is_served_at_the_join_port():
    async with join_port() as port, guest_channel(port) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await channel.unary_unary(BUNDLES.path)(b"")

    assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_one_address_cannot_try_tokens_without_end():
    async with join_port() as port, enrolling(port.code, clock=WALL_CLOCK) as secretariat:
        outcomes: list[type[FederationError] | None] = []
        while outcomes[-1:] != [Overloaded] and len(outcomes) < 10 * node_limits.JOIN_CALLS_PER_ADDRESS_BURST:
            try:
                await secretariat.status()
                outcomes.append(None)
            except FederationError as failure:
                outcomes.append(type(failure))

    assert outcomes[-1] is Overloaded
    assert set(outcomes[:-1]) == {None}


@asynccontextmanager
async def guest_channel(port: JoinPort) -> AsyncIterator[grpc.aio.Channel]:
    credentials = grpc.ssl_channel_credentials(to_pem(port.credential.certificate))
    name = ("grpc.ssl_target_name_override", node_name(None).dns)
    async with grpc.aio.secure_channel(port.address, credentials, options=[name]) as channel:
        yield channel
