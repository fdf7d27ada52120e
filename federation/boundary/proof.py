"""The proof file: checked by anybody, with nothing believed but the log key and the genesis digest that the reader brings.

What is shown: that the directory of that genesis listed these keys; that this node sealed and signed this envelope; that the other
node put it into its journal and said so; and, where the content is disclosed, that this statement, of this officer or policy, with
this body, is the one to which the envelope's header was committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import TypeVar

from federation.boundary.directory import cosigners, read_checkpoint
from federation.boundary.messages import body_digest, check_statement, read_officer
from federation.boundary.receipts import read_journal_checkpoint, read_receipt
from federation.delivery.receipt import Receipt
from federation.envelope import seal
from federation.envelope.header import Header, MessageKind, Statement
from federation.envelope.seal import Inner
from federation.errors import Forbidden, Malformed, Unauthentic
from federation.evidence.bundle import CrossingProof, LoggedEntry, Proof
from federation.evidence.journal import JournalKind, leaf_hash
from federation.identity import NodeName
from federation.query.answer import Answer
from federation.query.query import Query
from federation.trust import directory, keys, merkle, note
from federation.trust.certificate import Officer
from federation.trust.entries import Genesis
from federation.trust.note import Checkpoint
from federation.trust.roster import Roster
from federation.wire.directory import decode_entry_body, decode_signed_entry
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
    """

    header: Header
    digest: bytes
    receipt: Receipt | None
    content: CheckedContent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What a proof file proves.

    Attributes:
        genesis: the directory that everything stands on.
        directory_size: entries under the checkpoint.
        cosigners: nodes, of those in the proof, that cosigned it.
        exporter: whose journal the records are from.
        crossings: the query, then its answers.
    """

    genesis: Genesis
    directory_size: int
    cosigners: tuple[str, ...]
    exporter: NodeName
    crossings: tuple[CheckedCrossing, ...]


def check_proof(raw: bytes, *, log_key: bytes, genesis_digest: bytes) -> ProofReport:
    """Check a proof file, with no network, no state and no clock.

    Args:
        raw: the file.
        log_key: the Ed25519 key of the directory's log, got from elsewhere than the file.
        genesis_digest: SHA-256 leaf hash of the genesis entry, got from elsewhere than the file.

    Raises:
        Malformed, Incompatible: not a proof file of this version.
        Unauthentic, Forbidden: it proves nothing; the message says where it breaks.
    """
    proof = decode_proof(raw)
    roster, checkpoint = _roster(proof, log_key=log_key, genesis_digest=genesis_digest)
    journal = _journal_checkpoint(proof, roster)
    if not proof.crossings:
        raise Malformed("a proof without a message")
    crossings = tuple(_crossing(one, proof, roster, journal) for one in proof.crossings)
    _check_conversation(crossings)
    return ProofReport(
        genesis=roster.genesis,
        directory_size=checkpoint.size,
        cosigners=_cosigners(proof, roster),
        exporter=proof.exporter,
        crossings=crossings,
    )


def _roster(proof: Proof, *, log_key: bytes, genesis_digest: bytes) -> tuple[Roster, Checkpoint]:
    """The part of the roster that the proof carries: every entry is in the log, and keeps its author rule."""
    if not proof.entries or proof.entries[0].index != 0:
        raise Malformed("a proof begins with the genesis entry")
    first, *others = proof.entries
    if not compare_digest(merkle.leaf_hash(first.leaf), genesis_digest):
        raise Unauthentic("the proof stands on another directory than the one you named")
    entry = decode_signed_entry(first.leaf)
    roster = directory.begin(entry, decode_entry_body(entry.kind, entry.body))
    if not compare_digest(roster.genesis.log_key, log_key):
        raise Unauthentic("the log key you named is not the one of that directory")
    checkpoint, _ = read_checkpoint(roster, proof.directory_checkpoint)
    if [one.index for one in others] != sorted({one.index for one in others} - {0}):
        raise Malformed("the entries of a proof stand in the order of the log, each once")
    for one in proof.entries:
        _in_log(one, checkpoint)
    for one in others:
        entry = decode_signed_entry(one.leaf)
        body = decode_entry_body(entry.kind, entry.body)
        roster = directory.apply(replace(roster, size=one.index), entry, body, root=_no_root)
    if roster.alarms:
        raise Unauthentic(f"an entry in the proof breaks its author rule: {roster.alarms[0].words}")
    return roster, checkpoint


def _no_root() -> bytes:
    """A proof carries some entries of the log, and so not its tree."""
    raise Unauthentic("a proof carries no checkpoints inside the log")


def _in_log(entry: LoggedEntry, checkpoint: Checkpoint) -> None:
    merkle.verify_inclusion(
        leaf_hash=merkle.leaf_hash(entry.leaf),
        index=entry.index,
        size=checkpoint.size,
        proof=entry.inclusion,
        root=checkpoint.root,
    )


def _cosigners(proof: Proof, roster: Roster) -> tuple[str, ...]:
    """Who cosigned. Here nothing is passed over: whatever stands in a proof file is checked, to the last byte."""
    verified = cosigners(roster, proof.directory_checkpoint)
    if len(note.parse_note(proof.directory_checkpoint).signatures) != 1 + len(verified):
        raise Unauthentic("the directory's checkpoint carries a signature that the entries in the proof do not explain")
    return tuple(sorted(one.name for one in verified))


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
    _under_any(
        _signing_keys(roster, header.sender),
        lambda key: keys.verify(public_key=key, message=message, signature=one.signature),
    )
    sent = header.sender == proof.exporter
    if not sent and header.recipient != proof.exporter:
        raise Forbidden("a message that the exporter neither sent nor received")
    _check_record(one, header, digest, journal, JournalKind.SENT if sent else JournalKind.RECEIVED)
    receipt = _receipt(one, header, digest, roster)
    return CheckedCrossing(header=header, digest=digest, receipt=receipt, content=_content(one, header, receipt, roster))


def _signing_keys(roster: Roster, name: NodeName) -> tuple[bytes, ...]:
    """The keys that the entries list for a node, the newest first: one that was given up still proves what it signed before."""
    record = roster.parties.get(name.party) if name.party is not None else None
    nodes = record.nodes if record is not None else ()
    found = dict.fromkeys(logged.entry.signing_key for logged in reversed(nodes) if logged.entry.node == name)
    if not found:
        raise Unauthentic("the entries in the proof list no key of a node that it speaks of")
    return tuple(found)


def _under_any(signing_keys: tuple[bytes, ...], attempt: Callable[[bytes], Checked]) -> Checked:
    """What the first key makes of it under which it verifies."""
    *newer, oldest = signing_keys
    for key in newer:
        try:
            return attempt(key)
        except Unauthentic:
            continue
    return attempt(oldest)


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


def _receipt(one: CrossingProof, header: Header, digest: bytes, roster: Roster) -> Receipt | None:
    signed = one.receipt
    if signed is None:
        return None
    return _under_any(
        _signing_keys(roster, header.recipient),
        lambda key: read_receipt(signed, signing_key=key, receiver=header.recipient, message_id=header.message_id, digest=digest),
    )


def _content(one: CrossingProof, header: Header, receipt: Receipt | None, roster: Roster) -> CheckedContent | None:
    if not (one.salt or one.statement or one.statement_signature or one.body):
        return None
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
    # The receiver's time, when there is a receipt: a statement can be dated back, a receipt of somebody else cannot.
    at = receipt.received_at if receipt is not None else statement.created
    officer = read_officer(statement, inner, certificate, roster=roster, at=at)
    return CheckedContent(statement=statement, content=content, officer=officer)


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
