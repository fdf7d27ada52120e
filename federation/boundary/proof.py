"""The proof file: checked by anybody, with nothing believed but the log key and the genesis digest that the reader brings.

What is shown: that the directory of that genesis listed these keys; that this node sealed and signed this envelope; that the other
node put it into its journal and said so; and, where the content is disclosed, that this statement, of this officer or policy, with
this body, is the one to which the envelope's header was committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TypeVar

from federation.boundary.messages import body_digest, check_statement, read_officer, signed_at
from federation.boundary.proof_directory import read_shown
from federation.boundary.receipts import read_journal_checkpoint, read_receipt
from federation.delivery.receipt import Receipt
from federation.envelope import seal
from federation.envelope.header import Header, MessageKind, Statement
from federation.envelope.seal import Inner
from federation.errors import Forbidden, Malformed, Unauthentic
from federation.evidence.bundle import CrossingProof, Proof
from federation.evidence.journal import JournalKind, leaf_hash
from federation.identity import NodeName
from federation.query.answer import Answer
from federation.query.query import Query
from federation.trust import keys, merkle, note
from federation.trust.certificate import Officer
from federation.trust.entries import Genesis
from federation.trust.note import Checkpoint
from federation.trust.roster import Roster
from federation.trust.witness import Quorum
from federation.wire.envelope import decode_header, decode_statement
from federation.wire.evidence import decode_proof, decode_record
from federation.wire.query import decode_body

Checked = TypeVar("Checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedContent:
    """What was disclosed of a message, and is what the header was committed to.

    Attributes:
        officer: None when a policy spoke.
    """

    statement: Statement
    content: Query | Answer
    officer: Officer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCrossing:
    """One message of the proof.

    Attributes:
        receipt: the other side's; None when the proof holds none.
        content: None when the exporter did not disclose it.
        revoked: what of that which signed here its Party has taken back since, in words. What it signed before stands; that it was
            signed before is for others to show.
    """

    header: Header
    digest: bytes
    receipt: Receipt | None
    content: CheckedContent | None
    revoked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What a proof file proves.

    Attributes:
        genesis: the directory that everything stands on.
        directory_size: entries under the checkpoint.
        cosigners: nodes, of those in the proof, that cosigned it.
        quorum: what stands under it, when the proof holds the whole directory; None when it holds a part, from which an entry, such
            as a revocation, may have been left out.
        exporter: whose journal the records are from.
        crossings: the query, then its answers.
    """

    genesis: Genesis
    directory_size: int
    cosigners: tuple[str, ...]
    quorum: Quorum | None
    exporter: NodeName
    crossings: tuple[CheckedCrossing, ...]


def check_proof(raw: bytes, *, log_key: bytes, genesis_digest: bytes) -> ProofReport:
    """Check a proof file, with no network, no state and no clock.

    Args:
        raw: the file.
        log_key: an Ed25519 key of the directory's log, the first or a later one, got from elsewhere than the file.
        genesis_digest: SHA-256 leaf hash of the genesis entry, got from elsewhere than the file.

    Raises:
        Malformed, Incompatible: not a proof file of this version.
        Unauthentic, Forbidden: it proves nothing; the message says where it breaks.
    """
    proof = decode_proof(raw)
    shown = read_shown(proof.entries, proof.directory_checkpoint, log_key=log_key, genesis_digest=genesis_digest)
    roster = shown.roster
    journal = _journal_checkpoint(proof, roster)
    if not proof.crossings:
        raise Malformed("a proof without a message")
    crossings = tuple(_crossing(one, proof, roster, journal) for one in proof.crossings)
    _check_conversation(crossings)
    return ProofReport(
        genesis=roster.genesis,
        directory_size=shown.checkpoint.size,
        cosigners=shown.cosigners,
        quorum=shown.quorum,
        exporter=proof.exporter,
        crossings=crossings,
    )


def _journal_checkpoint(proof: Proof, roster: Roster) -> Checkpoint:
    parsed = note.parse_note(proof.journal_checkpoint)
    keys_of_exporter = _signing_keys(roster, proof.exporter)
    checkpoint = read_journal_checkpoint(parsed, node=proof.exporter, signing_keys=keys_of_exporter)
    if len(parsed.signatures) != 1:
        raise Unauthentic("the journal checkpoint of a proof carries a signature of somebody else")
    return checkpoint


def _crossing(one: CrossingProof, proof: Proof, roster: Roster, journal: Checkpoint) -> CheckedCrossing:
    header = decode_header(one.header)
    digest = seal.digest_of_parts(header=one.header, wrap=one.wrap, ciphertext_sha512=one.ciphertext_hash)
    message = keys.node_message(digest)
    key, _ = _under_any(
        _signing_keys(roster, header.sender),
        lambda key: keys.verify(public_key=key, message=message, signature=one.signature),
    )
    sent = header.sender == proof.exporter
    if not sent and header.recipient != proof.exporter:
        raise Forbidden("a message that the exporter neither sent nor received")
    _check_record(one, header, digest, journal, JournalKind.SENT if sent else JournalKind.RECEIVED)
    receipt, receipt_key = _receipt(one, header, digest, roster)
    content, ca_revoked = _content(one, header, receipt, roster)
    revoked = {
        f"the key with which {header.sender.dns} signed": _is_revoked(roster, header.sender, key),
        f"the key with which {header.recipient.dns} signed the receipt": _is_revoked(roster, header.recipient, receipt_key),
        "the CA of the officer's certificate": ca_revoked,
    }
    told = tuple(words for words, is_so in revoked.items() if is_so)
    return CheckedCrossing(header=header, digest=digest, receipt=receipt, content=content, revoked=told)


def _is_revoked(roster: Roster, name: NodeName, key: bytes) -> bool:
    record = roster.parties.get(name.party) if name.party is not None else None
    return record is not None and key in record.revoked


def _signing_keys(roster: Roster, name: NodeName) -> tuple[bytes, ...]:
    """The keys that the entries list for a node, the newest first: one that was given up still proves what it signed before."""
    record = roster.parties.get(name.party) if name.party is not None else None
    nodes = record.nodes if record is not None else ()
    found = dict.fromkeys(logged.entry.signing_key for logged in reversed(nodes) if logged.entry.node == name)
    if not found:
        raise Unauthentic("the entries in the proof list no key of a node that it speaks of")
    return tuple(found)


def _under_any(signing_keys: tuple[bytes, ...], attempt: Callable[[bytes], Checked]) -> tuple[bytes, Checked]:
    """The first key under which it verifies, and what it makes of it."""
    *newer, oldest = signing_keys
    for key in newer:
        try:
            return key, attempt(key)
        except Unauthentic:
            continue
    return oldest, attempt(oldest)


def _check_record(one: CrossingProof, header: Header, digest: bytes, journal: Checkpoint, kind: JournalKind) -> None:
    """The exporter's own record of the message is in its journal and says what the proof says."""
    merkle.verify_inclusion(
        leaf_hash=leaf_hash(salt=one.leaf_salt, content=one.leaf_content),
        index=one.leaf_index,
        size=journal.size,
        proof=one.inclusion,
        root=journal.root,
    )
    record = decode_record(one.leaf_content)
    if (record.kind, record.message_id, record.digest) != (kind, header.message_id, digest):
        raise Unauthentic("the exporter's journal says something else of the message than the proof")


def _receipt(one: CrossingProof, header: Header, digest: bytes, roster: Roster) -> tuple[Receipt | None, bytes]:
    """The receipt and the key under which it stands."""
    signed = one.receipt
    if signed is None:
        return None, b""
    key, receipt = _under_any(
        _signing_keys(roster, header.recipient),
        lambda key: read_receipt(signed, signing_key=key, receiver=header.recipient, message_id=header.message_id, digest=digest),
    )
    return receipt, key


def _content(one: CrossingProof, header: Header, receipt: Receipt | None, roster: Roster) -> tuple[CheckedContent | None, bool]:
    """What was disclosed, and whether the CA behind its officer was taken back since."""
    if not (one.salt or one.statement or one.statement_signature or one.body):
        return None, False
    inner = Inner(statement=one.statement, statement_signature=one.statement_signature, salt=one.salt, body=one.body)
    if not compare_digest(seal.body_commitment(inner), header.commitment):
        raise Unauthentic("the disclosed content is not what the receipted header is committed to")
    statement = decode_statement(inner.statement)
    if not compare_digest(body_digest(inner.body), statement.body_digest):
        raise Unauthentic("the disclosed body is not the one that the statement names")
    check_statement(statement, header)
    content, certificate = decode_body(inner.body)
    if isinstance(content, Query) != (statement.kind is MessageKind.QUERY):
        raise Forbidden("a disclosed statement is of another kind than its body")
    # Held against the receiver's time, when there is a receipt: a statement can be dated back, a receipt of somebody else cannot.
    at = signed_at(statement, arrived=receipt.received_at) if receipt is not None else statement.created
    officer, revoked = _officer(statement, inner, certificate, roster, at)
    return CheckedContent(statement=statement, content=content, officer=officer), revoked


def _officer(statement: Statement, inner: Inner, certificate: bytes, roster: Roster, at: float) -> tuple[Officer | None, bool]:
    """The officer, under any CA that the Party ever had; and whether that one counts no more."""
    record = roster.party(statement.sender)
    try:
        return read_officer(statement, inner, certificate, roster=roster, cas=record.standing_cas, at=at), False
    except Unauthentic:
        if len(record.standing_cas) == len(record.cas):
            raise
    former = tuple(one.der for one in record.cas if one.der not in record.standing_cas)
    return read_officer(statement, inner, certificate, roster=roster, cas=former, at=at), True


def _check_conversation(crossings: tuple[CheckedCrossing, ...]) -> None:
    """Disclosed messages belong together: one query, and answers to it from the Party that was asked."""
    first, *others = crossings
    if first.content is not None and not isinstance(first.content.content, Query):
        raise Forbidden("a proof begins with the query")
    for one in others:
        if (one.header.sender, one.header.recipient) != (first.header.recipient, first.header.sender):
            raise Forbidden("an answer in the proof is not from the node that was asked")
        if one.content is not None and one.content.statement.in_reply_to != first.header.message_id:
            raise Forbidden("an answer in the proof answers another query")
