"""The proof file: checked by anybody, with nothing believed but the log key and the genesis digest that the reader brings.

What is shown: that the directory of that genesis listed these keys; that this node sealed and signed this envelope; that the other
node put it into its journal and said so; and, where the content is disclosed, that this statement, of this officer or policy, with
this body, is the one to which the envelope's header was committed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from federation.boundary.proof_content import CheckedContent, read_content
from federation.boundary.proof_directory import read_shown
from federation.boundary.proof_findings import Findings, findings
from federation.boundary.proof_report import CheckedCrossing, ProofReport
from federation.boundary.proof_silence import Reply, read_silence, refute
from federation.boundary.receipts import read_journal_checkpoint, read_receipt
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope import seal
from federation.envelope.attachment import AttachmentId, arrival_digest
from federation.envelope.header import Header, MessageKind
from federation.errors import Forbidden, Malformed, Unauthentic
from federation.evidence.bundle import CrossingProof, Proof
from federation.evidence.journal import JournalKind, JournalRecord, leaf_hash
from federation.identity import NodeName
from federation.trust import keys, merkle, note
from federation.trust.note import Checkpoint
from federation.trust.roster import Roster
from federation.wire.envelope import decode_header
from federation.wire.evidence import decode_proof, decode_receipt, decode_record

__all__: Final = [
    "CheckedContent",
    "CheckedCrossing",
    "Findings",
    "ProofReport",
    "Reply",
    "check_proof",
    "findings",
    "refute",
]
"""All that a program needs which checks proofs: no network, no store and no node comes with it (docs/protocol.md, "The proof file")."""

Checked = TypeVar("Checked")


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
    silence = None
    if proof.silence is not None:
        signing_keys = _signing_keys(roster, proof.exporter)
        silence = read_silence(
            proof.silence, exporter=proof.exporter, signing_keys=signing_keys, journal=journal, crossings=crossings
        )
    return ProofReport(
        genesis=roster.genesis,
        genesis_digest=genesis_digest,
        directory_size=shown.checkpoint.size,
        cosigners=shown.cosigners,
        quorum=shown.quorum,
        exporter=proof.exporter,
        journal=journal,
        crossings=crossings,
        silence=silence,
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
    record = _record(one, header, digest, journal, JournalKind.SENT if sent else JournalKind.RECEIVED)
    receipt, receipt_key = _receipt(one, header, digest, roster)
    attached, attached_keys = _attached(one, header, roster)
    content = read_content(one, header, roster, received_at=receipt.received_at if receipt is not None else None)
    revoked = {
        f"the key with which {header.sender.dns} signed": _is_revoked(roster, header.sender, key),
        f"the key with which {header.recipient.dns} signed the receipt": _is_revoked(roster, header.recipient, receipt_key),
        f"the key with which {header.recipient.dns} signed for a file": any(
            _is_revoked(roster, header.recipient, one) for one in attached_keys
        ),
        "the CA of the officer's certificate": content is not None and content.ca_revoked,
    }
    told = tuple(words for words, is_so in revoked.items() if is_so)
    return CheckedCrossing(
        header=header,
        digest=digest,
        recorded_at=record.at,
        receipt=receipt,
        content=content,
        revoked=told,
        attached=attached,
    )


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


def _record(one: CrossingProof, header: Header, digest: bytes, journal: Checkpoint, kind: JournalKind) -> JournalRecord:
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
    return record


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


def _attached(one: CrossingProof, header: Header, roster: Roster) -> tuple[dict[AttachmentId, Receipt], set[bytes]]:
    """The receipts for files that the header names, and the keys under which they stand."""
    receipts: dict[AttachmentId, Receipt] = {}
    under: set[bytes] = set()
    named = {arrival_digest(header.message_id, file): file.attachment_id for file in header.attachments}
    for signed in one.attached:
        digest = decode_receipt(signed.statement).envelope_digest
        identifier = named.pop(digest, None)
        if identifier is None:
            raise Forbidden("a receipt in the proof is for a file that the message does not name, or stands there twice")
        key, receipt = _receipt_for_file(signed, header, digest, roster)
        receipts[identifier] = receipt
        under.add(key)
    return receipts, under


def _receipt_for_file(signed: SignedReceipt, header: Header, digest: bytes, roster: Roster) -> tuple[bytes, Receipt]:
    return _under_any(
        _signing_keys(roster, header.recipient),
        lambda key: read_receipt(
            signed,
            signing_key=key,
            receiver=header.recipient,
            message_id=header.message_id,
            digest=digest,
            kind=JournalKind.ATTACHED,
        ),
    )


def _check_conversation(crossings: tuple[CheckedCrossing, ...]) -> None:
    """Disclosed messages belong together: one query, and answers to it from the Party that was asked."""
    first, *others = crossings
    if first.content is not None and first.content.statement.kind is not MessageKind.QUERY:
        raise Forbidden("a proof begins with the query")
    for one in others:
        if (one.header.sender, one.header.recipient) != (first.header.recipient, first.header.sender):
            raise Forbidden("an answer in the proof is not from the node that was asked")
        if one.content is not None and one.content.statement.in_reply_to != first.header.message_id:
            raise Forbidden("an answer in the proof answers another query")
    if len({one.header.message_id for one in crossings}) != len(crossings):
        raise Forbidden("a message stands twice in the proof")
