"""The asking node's signed word that an answer has not come (docs/protocol.md, "Silence").

That something did not happen, nobody can prove alone. What the asking node can do is bind itself: it names its whole journal and the
answers to the query that stand in it. The other side can show it to be wrong with one document, the receipt of an answer that this node
signed: so whoever says this falsely has made the evidence against itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from federation.identity import MessageId, NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Of the answers to one query these stand in the journal, and no other.

    Attributes:
        exporter: the asking node, whose word it is.
        message_id, envelope_digest: the query.
        answers: message ids of the answers that did come: partial ones, in the order of the proof.
        at: Unix seconds by the exporter's clock.
        journal_size, journal_root: the journal that it speaks of, whole.
    """

    exporter: NodeName
    message_id: MessageId
    envelope_digest: bytes
    answers: tuple[MessageId, ...]
    at: int
    journal_size: int
    journal_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSilence:
    """The bytes that the exporter's node signed."""

    statement: bytes
    signature: bytes
