"""How an officer enrols over gRPC: the only calls of the desk's port that need no credential.

The officer's program knows the own node by the key of the Party CA, whose hash is in the desk code. It fetches the certificate that
answers, without believing it; opens a channel that trusts this certificate and nothing else; asks over it for the Party CA, which is
public; compares the key of that CA with the code; sees that this CA signed that certificate for a node of the Party; and only then
sends the token. Whoever stands between has no such certificate with its key, and so gets no token.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from federation import limits
from federation.errors import FederationError, Unauthentic
from federation.identity import NodeName
from federation.ports import Clock
from federation.trust.certificate import read_pinned_ca, verify_node_certificate, verify_officer
from federation.trust.desk_code import DeskCode, ca_key_hash
from federation.trust.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Signer
from federation.wire import strict
from node.rpc.calls import Call, Method, Routes, served
from node.rpc.channels import Line
from node.rpc.enrolment import server_name
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
        return pb.HelloReply(domain=greeting.domain, party_ca=greeting.party_ca)

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
        party_ca: DER.
    """

    def __init__(self, *, code: DeskCode, name: NodeName, party_ca: bytes, line: Line, clock: Clock) -> None:
        self.name = name
        self.party_ca = party_ca
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
        check_enrolled(enrolled, public_key=signer.public_key, node=self.name, party_ca=self.party_ca, now=self._clock.now())
        return enrolled


def check_enrolled(enrolled: Enrolled, *, public_key: bytes, node: NodeName, party_ca: bytes, now: float) -> None:
    """See that the certificate is for our key, under our id, by our CA.

    Raises:
        Malformed, Unauthentic: it is not.
    """
    assert node.party is not None  # a node of the Party in the code or in the profile
    seen = verify_officer(enrolled.certificate, ca=party_ca, party=node.party, domain=node.domain, at=now)
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
        name = _verified(code, leaf, reply, now=clock.now())
        yield OwnNode(code=code, name=name, party_ca=reply.party_ca, line=line, clock=clock)
    finally:
        await line.close()


def _verified(code: DeskCode, leaf: bytes, reply: pb.HelloReply, *, now: float) -> NodeName:
    """The node behind a certificate, when the CA that it names is the code's and signed it."""
    try:
        ca = read_pinned_ca(reply.party_ca, party=code.party, domain=reply.domain)
        if not hmac.compare_digest(ca_key_hash(ca.public_key_info), code.ca_key_sha256):
            raise Unauthentic("its CA is another one")
        return verify_node_certificate(leaf, ca=reply.party_ca, party=code.party, domain=reply.domain, now=now)
    except FederationError as reason:
        raise Unauthentic(
            f"the server at that address is not the node that the code names: {reason.message}",
            hint="check the code; if it is right, somebody stands between you and your node: tell the administrator",
        ) from reason
