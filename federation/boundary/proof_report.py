"""What a proof file proves, as values, once it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from federation.boundary.proof_content import CheckedContent
from federation.delivery.receipt import Receipt
from federation.envelope.attachment import AttachmentId
from federation.envelope.header import Header
from federation.evidence.silence import Silence
from federation.identity import NodeName
from federation.trust.entries import Genesis
from federation.trust.note import Checkpoint
from federation.trust.witness import Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCrossing:
    """One message of the proof.

    Attributes:
        recorded_at: Unix seconds, from the exporter's own journal record of it.
        receipt: the other side's; None when the proof holds none.
        content: None when the exporter did not disclose it.
        attached: the other side's receipts for the files that the header names, by the file's id.
        revoked: what of that which signed here its Party has taken back since, in words. What it signed before stands; that it was
            signed before is for others to show.
    """

    header: Header
    digest: bytes
    recorded_at: int
    receipt: Receipt | None
    content: CheckedContent | None
    revoked: tuple[str, ...]
    attached: Mapping[AttachmentId, Receipt] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What a proof file proves.

    Attributes:
        genesis: the directory that everything stands on.
        genesis_digest: as the reader named it.
        directory_size: entries under the checkpoint.
        cosigners: nodes, of those in the proof, that cosigned it.
        quorum: what stands under it, when the proof holds the whole directory; None when it holds a part, from which an entry, such
            as a revocation, may have been left out.
        exporter: whose journal the records are from.
        journal: that journal's checkpoint.
        crossings: the query, then its answers.
        silence: the exporter's signed word that no other answer came; None where it gives none.
    """

    genesis: Genesis
    genesis_digest: bytes
    directory_size: int
    cosigners: tuple[str, ...]
    quorum: Quorum | None
    exporter: NodeName
    journal: Checkpoint
    crossings: tuple[CheckedCrossing, ...]
    silence: Silence | None
