"""The Enrolment service, by which a Party joins, on a port of its own where the caller has no certificate yet.

The Party knows the server by the hash of its certificate in the join code. gRPC in Python does not show a server's certificate,
so the client first fetches it without believing it, compares the hash, and then opens a channel that trusts this one certificate
and nothing else. That is safe: nothing is said before the second handshake, in which the server proves that it holds the
certificate's key, and a node's certificate signs no others, so that none can stand in for it. Whoever answers the first
connection in the server's place can show the true certificate, which is public, or another one, which has another hash.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final, Protocol

from cryptography import x509

from federation import limits
from federation.errors import Unauthentic
from federation.identity import NodeName, PartyId, party_id
from federation.ports import Clock
from federation.trust.chain import foreign_bytes, load_certificate
from federation.trust.enrolment import Step
from federation.trust.entries import Signature
from federation.trust.join_code import JoinCode
from federation.v1 import common_pb2, directory_pb2
from federation.wire import strict
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Line
from node.rpc.peek import fetch_certificate
from node.use_cases.registry_values import Admission, Application, EnrolmentState

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_STEPS: Final = strict.EnumMap(directory_pb2.EnrolmentStep, "ENROLMENT_STEP_", Step)

ENROL: Final = Method(path="/federation.v1.Enrolment/Enrol", request=directory_pb2.EnrolRequest, reply=directory_pb2.EnrolReply)
ACCEPT: Final = Method(
    path="/federation.v1.Enrolment/Accept", request=directory_pb2.AcceptRequest, reply=directory_pb2.EnrolmentStatusReply
)
STATUS: Final = Method(
    path="/federation.v1.Enrolment/Status", request=directory_pb2.EnrolmentStatusRequest, reply=directory_pb2.EnrolmentStatusReply
)
RENEW: Final = Method(path="/federation.v1.Enrolment/Renew", request=directory_pb2.RenewRequest, reply=directory_pb2.RenewReply)


class EnrolmentHandler(Protocol):
    """The Secretariat's side. Every method may be repeated; the token is all that a caller has, and to renew not even that."""

    async def enrol(self, token: bytes, application: Application) -> Admission:
        """Issue the Party CA for what the Party sent."""

    async def accept(self, token: bytes, party: PartyId, acceptance: Signature) -> EnrolmentState:
        """Take the Party's signature over the entry that admits it."""

    async def status(self, token: bytes, party: PartyId) -> EnrolmentState:
        """Say how far it is."""

    async def renew(self, leaf: bytes) -> int:
        """Log an entry of a Party that has no certificate any more; gives its index."""


class EnrolmentServicer:
    """Decodes, calls the handler, encodes."""

    def __init__(self, handler: EnrolmentHandler) -> None:
        self._handler = handler

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict(
            (
                served(ENROL, self._enrol),
                served(ACCEPT, self._accept),
                served(STATUS, self._status),
                served(RENEW, self._renew),
            )
        )

    async def _enrol(self, _call: Call, request: directory_pb2.EnrolRequest) -> directory_pb2.EnrolReply:
        admission = await self._handler.enrol(_token(request.token), _decode_application(request))
        return directory_pb2.EnrolReply(
            genesis_leaf=admission.genesis_leaf,
            admit_body=admission.admit_body,
            directory_endpoint=admission.directory_endpoint,
            secretariat_ca=admission.secretariat_ca,
            secretariat_issuer=admission.secretariat_issuer,
        )

    async def _accept(self, _call: Call, request: directory_pb2.AcceptRequest) -> directory_pb2.EnrolmentStatusReply:
        acceptance = _decode_signature(request.acceptance)
        return _encode_state(await self._handler.accept(_token(request.token), party_id(request.party), acceptance))

    async def _status(self, _call: Call, request: directory_pb2.EnrolmentStatusRequest) -> directory_pb2.EnrolmentStatusReply:
        return _encode_state(await self._handler.status(_token(request.token), party_id(request.party)))

    async def _renew(self, _call: Call, request: directory_pb2.RenewRequest) -> directory_pb2.RenewReply:
        return directory_pb2.RenewReply(index=await self._handler.renew(request.leaf))


class GrpcEnrolment:
    """The Party's side of joining, with the code that it was given."""

    def __init__(self, *, code: JoinCode, line: Line, clock: Clock) -> None:
        self._code = code
        self._line = line
        self._clock = clock

    async def enrol(self, *, party_ca_request: bytes, party_key: bytes, next_key_hash: bytes) -> Admission:
        """Send the public keys; get back what to sign."""
        request = directory_pb2.EnrolRequest(
            token=self._code.token,
            party=self._code.party,
            party_ca_csr=party_ca_request,
            party_key=party_key,
            next_key_hash=next_key_hash,
        )
        reply = await self._line.call(ENROL, request, clock=self._clock)
        endpoint = strict.text(reply.directory_endpoint, limits.NAME_CHARACTERS_MAX, "an address")
        return Admission(
            genesis_leaf=reply.genesis_leaf,
            admit_body=reply.admit_body,
            directory_endpoint=endpoint,
            secretariat_ca=reply.secretariat_ca,
            secretariat_issuer=reply.secretariat_issuer,
        )

    async def accept(self, acceptance: Signature) -> EnrolmentState:
        """Send the Party's signature over the entry that admits it."""
        signature = common_pb2.Signature(public_key=acceptance.public_key, signature=acceptance.signature)
        request = directory_pb2.AcceptRequest(token=self._code.token, party=self._code.party, acceptance=signature)
        return _decode_state(await self._line.call(ACCEPT, request, clock=self._clock))

    async def status(self) -> EnrolmentState:
        """Ask how far it is."""
        request = directory_pb2.EnrolmentStatusRequest(token=self._code.token, party=self._code.party)
        return _decode_state(await self._line.call(STATUS, request, clock=self._clock))


class GrpcRenewal:
    """The side of a Party that is in the directory already and has no certificate that is good."""

    def __init__(self, *, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock

    async def renew(self, leaf: bytes) -> int:
        """Hand an entry in; gives its index. Idempotent for identical bytes."""
        reply = await self._line.call(RENEW, directory_pb2.RenewRequest(leaf=leaf), clock=self._clock)
        return reply.index


@asynccontextmanager
async def handing_in(address: str, *, name: NodeName, anchors: Sequence[bytes], clock: Clock) -> AsyncIterator[GrpcRenewal]:
    """Connect to the join port of the Secretariat that the directory pins.

    Args:
        address: of the join port.
        name: the Secretariat's node.
        anchors: DER of its CAs.
        clock: this machine's.

    Raises:
        InvalidInput: not an address.
    """
    line = Line(endpoint=address, server_name=name.dns, anchors=anchors, own=None)
    try:
        yield GrpcRenewal(line=line, clock=clock)
    finally:
        await line.close()


@asynccontextmanager
async def enrolling(code: JoinCode, *, clock: Clock) -> AsyncIterator[GrpcEnrolment]:
    """Connect to the join port that the code names, and to nobody else.

    Raises:
        Unreachable: nobody answers there with TLS.
        Unauthentic: another server than the code's does.
    """
    leaf = await fetch_certificate(code.address)
    if not hmac.compare_digest(sha256(leaf).digest(), code.leaf_sha256):
        raise Unauthentic(
            "the server at that address is not the one that the join code names",
            hint="check the code; if it is right, somebody stands between you and the Secretariat: tell it by telephone",
        )
    line = Line(endpoint=code.address, server_name=server_name(leaf), anchors=(leaf,), own=None)
    try:
        yield GrpcEnrolment(code=code, line=line, clock=clock)
    finally:
        await line.close()


def server_name(leaf: bytes) -> str:
    """The one DNS name of a node's certificate, which the channel asks for again."""
    certificate = load_certificate(leaf)
    with foreign_bytes("the server's certificate does not have one DNS name"):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (name,) = names.get_values_for_type(x509.DNSName)
    return name


def _token(raw: bytes) -> bytes:
    return strict.exactly(raw, limits.JOIN_TOKEN_BYTES, "a token")


def _decode_application(request: directory_pb2.EnrolRequest) -> Application:
    return Application(
        party=party_id(request.party),
        party_ca_request=request.party_ca_csr,
        party_key=strict.exactly(request.party_key, _KEY_BYTES, "a Party key"),
        next_key_hash=strict.exactly(request.next_key_hash, _KEY_BYTES, "the hash of a key"),
    )


def _decode_signature(message: common_pb2.Signature) -> Signature:
    return Signature(
        public_key=strict.exactly(message.public_key, _KEY_BYTES, "a Party key"),
        signature=strict.exactly(message.signature, _SIGNATURE_BYTES, "a signature"),
    )


def _encode_state(state: EnrolmentState) -> directory_pb2.EnrolmentStatusReply:
    return directory_pb2.EnrolmentStatusReply(
        step=_STEPS.number(state.step),
        founders_signed=state.founders_signed,
        founders_needed=state.founders_needed,
        witnesses_cosigned=state.witnesses_cosigned,
        witnesses_needed=state.witnesses_needed,
    )


def _decode_state(reply: directory_pb2.EnrolmentStatusReply) -> EnrolmentState:
    return EnrolmentState(
        step=_STEPS.value(reply.step),
        founders_signed=reply.founders_signed,
        founders_needed=reply.founders_needed,
        witnesses_cosigned=reply.witnesses_cosigned,
        witnesses_needed=reply.witnesses_needed,
    )
