"""Officers at the desk: every call proves itself, because a certificate alone proves nothing: it is public.

Beside each call travels a credential: the officer's certificate and a fresh signature over the method, the hash of the request,
the node's name, the time and a challenge that this node gave out and takes back once. So a credential is worth nothing for
another call, another request, another node or a second time. Each reply carries the next challenge: calls in a row need no
extra one (docs/protocol.md, "The desk").

Whether that officer still stands, and the certificate with it, is asked at each call too. What an officer may do is not decided here
but behind `Desk`, with the rights that the administrators granted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha512
from typing import Final

from federation import limits
from federation.errors import Unauthentic
from federation.identity import NodeName, OfficerName, PartyId
from federation.ports import Clock, Entropy
from federation.trust import keys
from federation.trust.certificate import Officer, read_pinned_ca, verify_officer
from federation.trust.keys import Signer
from federation.wire import strict
from node import limits as node_limits
from node.v1 import desk_pb2

CREDENTIAL_KEY: Final = "gsp-officer-bin"
CHALLENGE_KEY: Final = "gsp-challenge-bin"
CHALLENGE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who was verified for one call.

    Attributes:
        certificate: DER, as it came.
    """

    officer: OfficerName
    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerKey:
    """What an officer's program holds.

    Attributes:
        certificate: DER.
        signer: the private key of that certificate.
    """

    certificate: bytes
    signer: Signer

    def credential(self, *, method: str, request: bytes, node: NodeName, challenge: bytes, now: float) -> bytes:
        """Sign one call.

        Args:
            method: `/package.Service/Method`.
            request: the exact bytes that are sent.
            node: to which they go.
            challenge: from that node, not used before.
            now: Unix seconds by this machine's clock.
        """
        time = int(now)
        message = _message(method=method, request=request, node=node, time=time, challenge=challenge)
        return strict.encode(
            desk_pb2.OfficerCredential(
                certificate=self.certificate, challenge=challenge, time=time, signature=self.signer.sign(message)
            )
        )


class Challenges:
    """Random bytes that are good once and for a minute.

    Anybody may ask for one, so the table is bounded. The oldest gives way: to take a challenge from somebody who is about to use
    it, one would have to ask for the whole table within that one round trip.
    """

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._good_until: dict[bytes, float] = {}

    def issue(self) -> bytes:
        """A new one."""
        challenge = self._entropy(CHALLENGE_BYTES)
        if len(self._good_until) >= node_limits.DESK_CHALLENGES_MAX:
            del self._good_until[next(iter(self._good_until))]
        self._good_until[challenge] = self._clock.now() + node_limits.DESK_CHALLENGE_LIFE_S
        return challenge

    def take(self, challenge: bytes) -> None:
        """Take one back, whatever becomes of the call.

        Raises:
            Unauthentic: it was never given out, was used before, or is too old.
        """
        if self._clock.now() > self._good_until.pop(challenge, 0.0):
            raise Unauthentic(
                "the challenge of this call is not known here: it was used, is older than a minute, or is another node's",
                hint="make the call again; when it is refused again, somebody is repeating your calls",
            )


class OfficerGate:
    """Says which officer makes a call.

    Args:
        node: this node.
        party: whose officers have a desk here.
        anchors: DER of the Party's CAs, two during a change of CA; asked at each call.
        clock: for certificates and the times in credentials.
        entropy: for challenges.
        standing: raises Forbidden for an officer who was withdrawn, and for a certificate that was, or that nobody registered.
    """

    def __init__(
        self,
        *,
        node: NodeName,
        party: PartyId,
        anchors: Callable[[], Sequence[bytes]],
        clock: Clock,
        entropy: Entropy,
        standing: Callable[[OfficerName, bytes], Awaitable[None]],
    ) -> None:
        self._node = node
        self._party = party
        self._anchors = anchors
        self._clock = clock
        self._standing = standing
        self._challenges = Challenges(clock=clock, entropy=entropy)

    def challenge(self) -> bytes:
        """A challenge for the next call of somebody."""
        return self._challenges.issue()

    def authorities(self) -> Sequence[bytes]:
        """The Party's CAs that stand: what an officer's program has to know tomorrow."""
        return self._anchors()

    async def admit(self, *, method: str, request: bytes, credential: str | bytes | None) -> Caller:
        """Verify one call, and that its officer still stands.

        Args:
            method: the path at which it came in.
            request: the exact bytes that came in.
            credential: the metadata of CREDENTIAL_KEY, if there is any.

        Raises:
            Malformed: the credential or its certificate does not parse.
            Unauthentic: it is missing, was made for another call, or is not an officer's of this Party.
            Forbidden: the officer or the certificate was withdrawn, or is not known here.
        """
        caller = self._identify(method=method, request=request, credential=credential)
        await self._standing(caller.officer, caller.certificate)
        return caller

    def _identify(self, *, method: str, request: bytes, credential: str | bytes | None) -> Caller:
        given = _read(credential)
        self._challenges.take(given.challenge)
        now = self._clock.now()
        self._check_time(given.time, now)
        officer = verify_by_any(given.certificate, cas=self._anchors(), party=self._party, domain=self._node.domain, at=now)
        message = _message(method=method, request=request, node=self._node, time=given.time, challenge=given.challenge)
        keys.verify(public_key=officer.public_key, message=message, signature=given.signature)
        return Caller(officer=officer.name, certificate=given.certificate)

    @staticmethod
    def _check_time(time: int, now: float) -> None:
        if abs(now - time) > limits.CLOCK_TOLERANCE_S:
            raise Unauthentic(
                f"the officer's clock says {_clock(time)} and this node's {_clock(now)}",
                hint="set the clock that is wrong; five minutes of difference are tolerated",
            )


def verify_by_any(certificate: bytes, *, cas: Sequence[bytes], party: PartyId, domain: str, at: float) -> Officer:
    """Read an officer's certificate that one of the Party's CAs signed.

    Raises:
        Malformed: it does not parse.
        Unauthentic: none of them did.
    """
    refusal = Unauthentic("this node knows no CA of its own Party")
    for ca in cas:
        try:
            return verify_officer(certificate, ca=ca, party=party, domain=domain, at=at)
        except Unauthentic as reason:
            refusal = reason
    raise refusal


def read_authorities(told: Sequence[bytes], *, party: PartyId, domain: str) -> tuple[bytes, ...]:
    """The CAs that the own node names: each has the shape and the name of the Party's. Who says so is the connection's to show.

    Raises:
        Oversized, Malformed, Unauthentic: more than a Party can have, or something else.
    """
    strict.at_most(len(told), limits.CAS_PER_PARTY_MAX, "CAs of a Party")
    for der in told:
        strict.at_most(len(der), limits.CERTIFICATE_BYTES_MAX, "bytes of a certificate")
        read_pinned_ca(der, party=party, domain=domain)
    return tuple(told)


def _read(credential: str | bytes | None) -> desk_pb2.OfficerCredential:
    if not isinstance(credential, bytes):
        raise Unauthentic("the call does not say which officer makes it", hint="use `gsp` with an officer's profile")
    given = strict.parse(desk_pb2.OfficerCredential, credential, bytes_max=node_limits.GRPC_METADATA_BYTES_MAX)
    strict.seconds(given.time)
    return given


def _message(*, method: str, request: bytes, node: NodeName, time: int, challenge: bytes) -> bytes:
    """What the officer signs for one call; the framing keeps it apart from everything else that the key signs."""
    return keys.pae("desk", method.encode(), sha512(request).digest(), node.dns.encode(), time.to_bytes(8, "big"), challenge)


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
