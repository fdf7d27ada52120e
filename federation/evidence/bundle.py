"""The one file that convinces a third party: what it holds. How it is checked stands in `federation.boundary`.

It carries no key that its reader should believe: the reader brings the log key and the genesis digest (docs/protocol.md,
"The proof file").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.delivery.receipt import SignedReceipt
from federation.envelope.header import MessageKind
from federation.evidence.silence import SignedSilence
from federation.identity import NodeName


class Depth(StrEnum):
    """How much of one message is shown."""

    NOTHING = "nothing"
    STATEMENT = "statement"
    WHOLE = "whole"


class Disclosure(StrEnum):
    """What whoever exports a proof chooses to show of what was sealed."""

    NONE = "none"
    """That messages crossed, and when."""
    STATEMENTS = "statements"
    """Besides, which officer signed each, what answers what, and the deadline. Nothing of what was asked and answered."""
    QUERY = "query"
    """The query whole; of the answers the statements."""
    ANSWERS = "answers"
    """The answers whole, refusals with their reasons; of the query the statement."""
    ALL = "all"

    def depth(self, kind: MessageKind) -> Depth:
        """How much it shows of a message of this kind."""
        if self is Disclosure.NONE:
            return Depth.NOTHING
        whole = {
            Disclosure.QUERY: {MessageKind.QUERY},
            Disclosure.ANSWERS: {MessageKind.ANSWER},
            Disclosure.ALL: set(MessageKind),
        }
        return Depth.WHOLE if kind in whole.get(self, ()) else Depth.STATEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """A directory entry with its RFC 6962 path to the root of the proof's directory checkpoint."""

    index: int
    leaf: bytes
    inclusion: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingProof:
    """One message that crossed.

    Attributes:
        ciphertext_hash: SHA-512 of the ciphertext, which itself is not needed.
        receipt: the other side's; None when none came, which proves only that it was sent.
        leaf_index, leaf_salt, leaf_content, inclusion: the exporter's own journal record of it.
        salt, statement, statement_signature, body: the content, when the exporter discloses it; empty otherwise.
        certificate: DER of the officer's, when only statement and signature are disclosed; empty otherwise.
        attached: the other side's receipts for files that the header names, in the header's order, as far as it gave them.
    """

    header: bytes
    wrap: bytes
    ciphertext_hash: bytes
    signature: bytes
    receipt: SignedReceipt | None
    leaf_index: int
    leaf_salt: bytes
    leaf_content: bytes
    inclusion: tuple[bytes, ...]
    salt: bytes
    statement: bytes
    statement_signature: bytes
    body: bytes
    certificate: bytes = b""
    attached: tuple[SignedReceipt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof file.

    Attributes:
        directory_checkpoint: signed note with cosignatures.
        entries: genesis first, then what shows which keys were valid.
        crossings: the query, then its answers.
        exporter: whose journal the records are from.
        journal_checkpoint: signed note of that journal.
        silence: the exporter's word that no other answer came; None where it gives none.
    """

    directory_checkpoint: bytes
    entries: tuple[LoggedEntry, ...]
    crossings: tuple[CrossingProof, ...]
    exporter: NodeName
    journal_checkpoint: bytes
    silence: SignedSilence | None = None
