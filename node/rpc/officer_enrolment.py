"""How an officer enrols over gRPC: the only calls of the desk's port that need no credential.

The officer's program knows the own node by the key of the Party CA, whose hash is in the desk code. It fetches the certificate that
answers, without believing it; opens a channel that trusts this certificate and nothing else; asks over it for the Party's CAs, which
are public; looks for the one whose key is the code's; sees that this CA signed that certificate for a node of the Party; and only then
sends the token. Whoever stands between has no such certificate with its key, and so gets no token.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from federation import limits
from federation.errors import FederationError, Unauthentic
from federation.identity import NodeName
from federation.ports import Clock
from federation.trust.certificate import read_pinned_ca, verify_node_certificate
from federation.trust.desk_code import DeskCode, ca_key_hash
from federation.trust.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Signer
from federation.wire import strict
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Line
from node.rpc.enrolment import server_name
from node.rpc.officer import read_authorities, verify_by_any
from node.rpc.peek import fetch_certificate
from node.use_cases.officer_enrolment import Enrolled, OfficerEnrolment, enrolment_message
from node.v1 import administration_pb2 as pb

HELLO: Final = Method(path="/node.v1.OfficerEnrolment/Hello", request=pb.HelloRequest, reply=pb.HelloReply)
ENROL: Final = Method(path="/node.v1.OfficerEnrolment/EnrolOfficer", request=pb.EnrolOfficerRequest, reply=pb.EnrolOfficerReply)


def encode_enrolled(enrolled: Enrolled) -> pb.EnrolOfficerReply:
    return pb.EnrolOfficerReply(officer_id=enrolled.officer_id, certificate=enrolled.certificate)


@strict.total
def decode_enrolled(reply: pb.EnrolOfficerReply) -> Enrolled:
    strict.at_most(len(reply.certificate), limits.CERTIFICATE_BYTES_MAX, "bytes of a certificate")
    return Enrolled(officer_id=reply.officer_id, certificate=reply.certificate)


class OfficerEnrolmentServicer:
    """Decodes, calls the use case, encodes. The token is all that a caller has."""

    def __init__(self, enrolment: OfficerEnrolment) -> None:
        self._enrolment = enrolment

    def routes(self) -> Routes:
        """Its methods by path."""
        return dict((served(HELLO, self._hello), served(ENROL, self._enrol)))

    async def _hello(self, _call: Call, _request: pb.HelloRequest) -> pb.HelloReply:
        greeting = self._enrolment.greeting()
        return pb.HelloReply(domain=greeting.domain, party_cas=greeting.party_cas)

    async def _enrol(self, _call: Call, request: pb.EnrolOfficerRequest) -> pb.EnrolOfficerReply:
        enrolled = await self._enrolment.enrol(
            token=strict.exactly(request.token, limits.JOIN_TOKEN_BYTES, "a token"),
            public_key=strict.exactly(request.public_key, PUBLIC_KEY_BYTES, "a key"),
            proof=strict.exactly(request.proof, SIGNATURE_BYTES, "a signature"),
        )
        return encode_enrolled(enrolled)


class OwnNode:
    """The own node as the holder of a code found it: verified, with a line to it.

    Attributes:
        name: which node it is.
        party_cas: DER of the Party's CAs; the code's is the first.
    """

    def __init__(self, *, code: DeskCode, name: NodeName, party_cas: tuple[bytes, ...], line: Line, clock: Clock) -> None:
        self.name = name
        self.party_cas = party_cas
        self._code = code
        self._line = line
        self._clock = clock

    async def enrol(self, signer: Signer) -> Enrolled:
        """Send the token and the public key; get the certificate. It may be repeated with the same key.

        Raises:
            Forbidden, Conflict, DeadlinePassed: the code is none, was used with another key, or is too old.
            Unauthentic: the certificate that came is for another key or by another CA.
        """
        message = enrolment_message(token=self._code.token, public_key=signer.public_key, node=self.name)
        request = pb.EnrolOfficerRequest(token=self._code.token, public_key=signer.public_key, proof=signer.sign(message))
        enrolled = decode_enrolled(await self._line.call(ENROL, request, clock=self._clock))
        check_enrolled(enrolled, public_key=signer.public_key, node=self.name, party_cas=self.party_cas, now=self._clock.now())
        return enrolled


def check_enrolled(enrolled: Enrolled, *, public_key: bytes, node: NodeName, party_cas: Sequence[bytes], now: float) -> None:
    """See that the certificate is for our key, under our id, by a CA of ours.

    Raises:
        Malformed, Unauthentic: it is not.
    """
    assert node.party is not None  # a node of the Party in the code or in the profile
    seen = verify_by_any(enrolled.certificate, cas=party_cas, party=node.party, domain=node.domain, at=now)
    if (seen.public_key, seen.name.officer_id) != (public_key, enrolled.officer_id):
        raise Unauthentic("the certificate that came is for another key or officer", hint="tell the administrator")


@asynccontextmanager
async def greeting(code: DeskCode, *, clock: Clock) -> AsyncIterator[OwnNode]:
    """Find the own node, and make sure that it is, before anything is told to it.

    Raises:
        Unreachable: nobody answers there with TLS.
        Unauthentic: another node than the code's Party does.
    """
    leaf = await fetch_certificate(code.address)
    line = Line(endpoint=code.address, server_name=server_name(leaf), anchors=(leaf,), own=None)
    try:
        reply = await line.call(HELLO, pb.HelloRequest(), clock=clock)
        name, cas = _verified(code, leaf, reply, now=clock.now())
        yield OwnNode(code=code, name=name, party_cas=cas, line=line, clock=clock)
    finally:
        await line.close()


def _verified(code: DeskCode, leaf: bytes, reply: pb.HelloReply, *, now: float) -> tuple[NodeName, tuple[bytes, ...]]:
    """The node behind a certificate, when the CA that the code names signed it; and the Party's CAs, that one first."""
    try:
        cas = read_authorities(reply.party_cas, party=code.party, domain=reply.domain)
        pinned = next((ca for ca in cas if hmac.compare_digest(_key_of(ca, code, reply), code.ca_key_sha256)), None)
        if pinned is None:
            raise Unauthentic("its CA is another one")
        name = verify_node_certificate(leaf, ca=pinned, party=code.party, domain=reply.domain, now=now)
    except FederationError as reason:
        raise Unauthentic(
            f"the server at that address is not the node that the code names: {reason.message}",
            hint="check the code; if it is right, somebody stands between you and your node: tell the administrator",
        ) from reason
    return name, tuple(dict.fromkeys((pinned, *cas)))


def _key_of(ca: bytes, code: DeskCode, reply: pb.HelloReply) -> bytes:
    return ca_key_hash(read_pinned_ca(ca, party=code.party, domain=reply.domain).public_key_info)
