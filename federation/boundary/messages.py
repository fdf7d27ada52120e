"""Messages: a statement composed, sealed and signed; and one that came, opened in the order that must not change.

On receipt: sizes, the header strictly, the sender in the roster, the node's signature, time window; only then decryption; then
the commitment, the officer's certificate and signature, and statement against header. Persisting, and acting, are the caller's,
in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from hmac import compare_digest

from federation import limits
from federation.envelope import seal, suite
from federation.envelope.attachment import Named
from federation.envelope.header import PROTOCOL_VERSION, Header, Lane, MessageKind, Prekey, Statement
from federation.envelope.seal import Envelope, Inner
from federation.errors import Forbidden, Incompatible, Malformed, Unauthentic
from federation.identity import MessageId, NodeName, PartyId
from federation.query.answer import Answer
from federation.query.query import Query
from federation.trust import keys
from federation.trust.certificate import Officer, certificate_hash, verify_officer_of
from federation.trust.chain import utc_text
from federation.trust.keys import Signer
from federation.trust.roster import Roster, signing_keys
from federation.wire.envelope import decode_envelope, decode_header, decode_statement, encode_header, encode_statement
from federation.wire.query import decode_body


def body_digest(body: bytes) -> bytes:
    """The 32 bytes by which a statement names its body."""
    return keys.digest("gsp/v1/body", body)


def key_id(public_key: bytes) -> bytes:
    """The 16 bytes by which a header names the key it is sealed to."""
    return keys.digest("gsp/v1/key", public_key)[:16]


def statement_hash(statement: bytes) -> bytes:
    """What the replay table remembers of a statement."""
    return sha256(statement).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where an envelope goes and how it is numbered.

    Attributes:
        key: the recipient's prekey or reply key.
        created, expires: Unix seconds.
        sequence, previous_digest: this envelope's place in its lane.
        checkpoint: the sender's bare directory checkpoint.
        attachments: files that the body names.
    """

    sender: NodeName
    recipient: NodeName
    key: Prekey
    created: int
    expires: int
    lane: Lane
    sequence: int
    previous_digest: bytes
    checkpoint: bytes
    attachments: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An envelope ready to be written down and sent, with its digest."""

    envelope: Envelope
    digest: bytes


def seal_message(inner: Inner, *, message_id: MessageId, route: Route, cek: bytes, signer: Signer) -> Sealed:
    """Seal a signed statement with its body for one recipient.

    Args:
        inner: statement, officer's signature, salt and body.
        message_id: as the statement has it.
        route: everything else that the header says.
        cek: 32 fresh random bytes.
        signer: the sending node's.
    """
    wrap_bytes, ciphertext_bytes = seal.sealed_size(len(seal.pack_inner(inner)))
    header = Header(
        version=PROTOCOL_VERSION,
        suite=suite.SUITE,
        message_id=message_id,
        sender=route.sender,
        recipient=route.recipient,
        created=route.created,
        expires=route.expires,
        lane=route.lane,
        sequence=route.sequence,
        previous_digest=route.previous_digest,
        checkpoint=route.checkpoint,
        key_id=route.key.key_id,
        wrap_bytes=wrap_bytes,
        ciphertext_bytes=ciphertext_bytes,
        commitment=seal.body_commitment(inner),
        attachments=route.attachments,
    )
    envelope = seal.seal(header=encode_header(header), inner=inner, recipient_public=route.key.public_key, cek=cek, signer=signer)
    return Sealed(envelope=envelope, digest=seal.envelope_digest(envelope))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An envelope whose node signature and times are right; nothing of it is decrypted yet."""

    envelope: Envelope
    header: Header
    digest: bytes
    ciphertext_hash: bytes


def read_envelope(raw: bytes, *, roster: Roster, own: NodeName, peer: NodeName, now: float) -> Arrived:
    """Everything that can be said of an envelope without opening it.

    Args:
        raw: as it came.
        roster: the accepted directory.
        own: this node, which has to be the recipient.
        peer: the node that TLS verified, which has to be the sender.
        now: Unix seconds.

    Raises:
        Malformed, Incompatible, UnknownParty, Forbidden, Unauthentic: in the order of the checks.
    """
    envelope = decode_envelope(raw)
    header = decode_header(envelope.header)
    if header.suite != suite.SUITE:
        raise Incompatible(f"suite {header.suite:#06x}; this node opens {suite.SUITE:#06x}")
    if (header.wrap_bytes, header.ciphertext_bytes) != (len(envelope.wrap), len(envelope.ciphertext)):
        raise Malformed("the header of an envelope tells other sizes than it has")
    if header.sender != peer:
        raise Forbidden("an envelope is handed over by the node that signed it, and by nobody else")
    if header.recipient != own:
        raise Forbidden("this envelope is for another node")
    node_keys = signing_keys(roster, header.sender, at=header.created)
    ciphertext_hash = sha512(envelope.ciphertext).digest()
    digest = seal.digest_of_parts(header=envelope.header, wrap=envelope.wrap, ciphertext_sha512=ciphertext_hash)
    keys.verify_any(public_keys=node_keys, message=keys.node_message(digest), signature=envelope.signature)
    check_times(header, now=now)
    return Arrived(envelope=envelope, header=header, digest=digest, ciphertext_hash=ciphertext_hash)


def check_times(header: Header, *, now: float) -> None:
    """An envelope is neither from the future nor too old; five minutes of clock difference are tolerated.

    Raises:
        Unauthentic: with both clocks in the message, because one of them is often the reason.
    """
    if header.expires - header.created > limits.ENVELOPE_LIFE_S_MAX:
        raise Unauthentic("an envelope claims a longer life than any may have")
    if header.created > now + limits.CLOCK_TOLERANCE_S:
        clocks = f"it was made at {utc_text(header.created)} by its sender's clock, and here it is {utc_text(now)}"
        raise Unauthentic(f"an envelope comes from the future: {clocks}", hint="one of the two clocks is wrong: compare them")
    if header.expires + limits.CLOCK_TOLERANCE_S < now:
        clocks = f"it was good until {utc_text(header.expires)} by its sender's clock, and here it is {utc_text(now)}"
        raise Unauthentic(f"an envelope has expired: {clocks}", hint="the sender's node seals it again by itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message that is what it says: sealed by that node, signed by that officer of that Party, or standing on a policy.

    Attributes:
        officer: None exactly when the statement names a policy.
    """

    arrived: Arrived
    inner: Inner
    statement: Statement
    content: Query | Answer
    officer: Officer | None

    @property
    def sender(self) -> PartyId:
        """Whose word it is."""
        return self.statement.sender


def open_message(arrived: Arrived, private_key: suite.PrivateKey, *, roster: Roster, now: float) -> Opened:
    """Decrypt, and verify what was inside.

    Raises:
        Unauthentic: it does not open, or a certificate, signature or digest in it is wrong.
        Malformed: statement or body cannot be read.
        Forbidden: the statement says something else than the header, or is of another kind than its body.
    """
    inner = seal.open_envelope(arrived.envelope, private_key, commitment=arrived.header.commitment)
    statement = decode_statement(inner.statement)
    check_statement(statement, arrived.header)
    return _verify_content(arrived, inner, statement, roster=roster, now=now)


def check_statement(statement: Statement, header: Header) -> None:
    """See that a statement belongs under the header that it came with.

    Raises:
        Forbidden: it does not, or asks for what nobody may.
    """
    if statement.message_id != header.message_id:
        raise Forbidden("statement and header name different messages")
    if (statement.sender, statement.recipient) != (header.sender.party, header.recipient.party):
        raise Forbidden("statement and header name different Parties")
    if statement.created > header.created + limits.CLOCK_TOLERANCE_S:
        raise Forbidden("a statement is younger than its envelope")
    if statement.kind is MessageKind.QUERY and statement.deadline - statement.created > limits.QUERY_DEADLINE_S_MAX:
        raise Forbidden("a query leaves more time than any may")


def _verify_content(arrived: Arrived, inner: Inner, statement: Statement, *, roster: Roster, now: float) -> Opened:
    if not compare_digest(body_digest(inner.body), statement.body_digest):
        raise Unauthentic("the body is not the one that the statement names")
    content, certificate = decode_body(inner.body)
    if isinstance(content, Query) != (statement.kind is MessageKind.QUERY):
        raise Forbidden("a statement is of another kind than its body")
    if tuple(one.named for one in content.attachments) != arrived.header.attachments:
        raise Forbidden("the header of an envelope names other files than its body")
    if isinstance(content, Query):
        suite.check_public_key(content.reply_key)
    cas = roster.party(statement.sender).standing_cas
    signed = SignedStatement(raw=inner.statement, signature=inner.statement_signature, certificate=certificate)
    officer = read_officer(statement, signed, roster=roster, cas=cas, at=signed_at(statement, arrived=now))
    return Opened(arrived=arrived, inner=inner, statement=statement, content=content, officer=officer)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A statement's exact bytes, with what its officer put to it: signature and certificate are empty where a policy speaks."""

    raw: bytes
    signature: bytes
    certificate: bytes


def signed_at(statement: Statement, *, arrived: float) -> float:
    """When the officer's certificate has to be valid: when the statement was made, as it says itself and as its node has signed.

    So what waited for a peer that was away arrives, though the certificate has ended meanwhile. A statement can be dated back, by
    whoever has the officer's key *and* the node's; so its word counts as long as the message may be under way and no longer, and then
    the certificate has to be valid on arrival. CAs are those that stand on arrival in any case: what a revoked one verified is
    nothing, whenever it was signed (docs/adr/0021-when-an-officer-signed.md).
    """
    life_s = limits.STATEMENT_LIFE_S_MAX
    end = (
        min(statement.deadline, statement.created + life_s) if statement.kind is MessageKind.QUERY else statement.created + life_s
    )
    return statement.created if arrived <= end + limits.CLOCK_TOLERANCE_S else arrived


def read_officer(
    statement: Statement, signed: SignedStatement, *, roster: Roster, cas: Sequence[bytes], at: float
) -> Officer | None:
    """The officer who signed, verified against CAs of the sending Party: those that stand, or in a proof those that it had.

    Raises:
        Unauthentic: the certificate is not the one that the statement names, is not that Party's, or the signature is wrong.
        Malformed: a policy statement that carries a certificate or a signature.
    """
    if statement.officer_id is None:
        if signed.certificate or signed.signature:
            raise Malformed("a policy has neither certificate nor signature")
        return None
    if not compare_digest(certificate_hash(signed.certificate), statement.certificate_hash):
        raise Unauthentic("the officer's certificate is not the one that the statement names")
    officer = verify_officer_of(signed.certificate, cas=cas, party=statement.sender, domain=roster.genesis.domain, at=at)
    if officer.name.officer_id != statement.officer_id:
        raise Unauthentic("the officer's certificate is somebody else's")
    keys.verify(
        public_key=officer.public_key,
        message=keys.officer_message(signed.raw),
        signature=signed.signature,
    )
    return officer


def compose_statement(statement: Statement) -> bytes:
    """The exact bytes that an officer signs, or that stand on a policy."""
    return encode_statement(statement)
