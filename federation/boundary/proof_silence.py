"""Silence in a proof: asked, receipted, and never answered; and the one document that shows such a word to be false.

Two things of it are the other side's own: its receipt, and through the officer's statement the deadline that it knew. The third,
that no answer came, is the asking node's word over its whole journal. It is worth something because it can be refuted: an answer
that arrived was receipted by that same node, and the answering side keeps the receipt. `refute` looks for it in a proof of the other
side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.boundary.proof_report import CheckedCrossing, ProofReport
from federation.delivery.receipt import Receipt
from federation.errors import Forbidden, InvalidInput, Unauthentic
from federation.evidence.silence import SignedSilence, Silence
from federation.identity import NodeName
from federation.query.answer import Answer
from federation.trust import keys, note
from federation.trust.keys import Signer
from federation.trust.note import Checkpoint
from federation.wire.evidence import decode_silence, encode_silence


def sign_silence(silence: Silence, signer: Signer) -> SignedSilence:
    """The node's word, as it goes into the file."""
    statement = encode_silence(silence)
    return SignedSilence(statement=statement, signature=signer.sign(keys.pae("silence", statement)))


def read_silence(
    signed: SignedSilence,
    *,
    exporter: NodeName,
    signing_keys: Sequence[bytes],
    journal: Checkpoint,
    crossings: Sequence[CheckedCrossing],
) -> Silence:
    """The word of the asking node about the very messages and the very journal of its proof.

    Raises:
        Unauthentic: it is not that node's, or about another journal.
        Forbidden: it is about something else, is said by the wrong side or too early, or contradicts what stands beside it.
    """
    keys.verify_any(public_keys=signing_keys, message=keys.pae("silence", signed.statement), signature=signed.signature)
    silence = decode_silence(signed.statement)
    query, *answers = crossings
    if query.header.sender != exporter or silence.exporter != exporter:
        raise Forbidden("that no answer came is said by the node that asked, and by nobody else")
    if (silence.message_id, silence.envelope_digest) != (query.header.message_id, query.digest):
        raise Forbidden("that no answer came is said of another query")
    if (silence.journal_size, silence.journal_root) != (journal.size, journal.root):
        raise Unauthentic("that no answer came is said of another journal than the one in the proof")
    if silence.answers != tuple(one.header.message_id for one in answers):
        raise Forbidden("the proof holds other answers than the asking node says that it has")
    if query.receipt is None:
        raise Forbidden("nobody is silent who was not reached: the query has no receipt")
    if query.content is not None and silence.at <= query.content.statement.deadline:
        raise Forbidden("that no answer came was said before the deadline")
    if any(one.content is not None and isinstance(one.content.content, Answer) and one.content.content.final for one in answers):
        raise Forbidden("the last answer stands in the very proof that says that it did not come")
    return silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the other side's proof says to a word of silence.

    Attributes:
        refuted: the receipts of answers that the asking node had signed before it said that there were none.
        later: receipts of answers that came after it said so.
    """

    refuted: tuple[Receipt, ...]
    later: tuple[Receipt, ...]


def refute(silent: ProofReport, other: ProofReport) -> Reply:
    """Hold a word of silence against another proof of the same query, which has to show what its answers answer.

    Raises:
        InvalidInput: the first says nothing of silence, or the two are not about one query in one directory.
    """
    silence = silent.silence
    if silence is None:
        raise InvalidInput("the first proof does not say that no answer came")
    first, query = silent.crossings[0], other.crossings[0]
    one_query = (first.header.message_id, first.header.sender, first.header.recipient)
    if silent.genesis_digest != other.genesis_digest or one_query != (
        query.header.message_id,
        query.header.sender,
        query.header.recipient,
    ):
        raise InvalidInput("the two proofs are about different queries")
    refuted: list[Receipt] = []
    later: list[Receipt] = []
    for answer in other.crossings[1:]:
        receipt = answer.receipt
        if receipt is None or answer.content is None or answer.header.message_id in silence.answers:
            continue
        (refuted if _stood_in(silent.journal, silence, receipt) else later).append(receipt)
    return Reply(refuted=tuple(refuted), later=tuple(later))


def _stood_in(journal: Checkpoint, silence: Silence, receipt: Receipt) -> bool:
    """Whether what was receipted stood in the journal of which the asking node spoke. Both times are its own clock's."""
    if note.parse_checkpoint(note.parse_note(receipt.checkpoint).text).origin == journal.origin:
        return receipt.leaf_index < silence.journal_size
    return receipt.received_at <= silence.at
