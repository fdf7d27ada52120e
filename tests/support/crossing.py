"""A query and its answer between two Parties of a treaty, sealed, receipted and journalled as nodes do it, without any node.

`message` makes one message; what a test names in `statement` or `route` replaces what an honest sender would write there.
`Conversation` is the whole exchange, and `Conversation.proof` what one of the two would export of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from federation.boundary.directory import bare_checkpoint, sign_checkpoint
from federation.boundary.messages import Route, Sealed, body_digest, compose_statement, key_id, seal_message
from federation.boundary.proof_silence import sign_silence
from federation.boundary.receipts import journal_leaf, sign_receipt
from federation.delivery.receipt import SignedReceipt
from federation.envelope.header import Lane, MessageKind, Prekey, Statement
from federation.envelope.seal import Inner
from federation.envelope.suite import PrivateKey
from federation.evidence.bundle import CrossingProof, Depth, Disclosure, LoggedEntry, Proof
from federation.evidence.journal import JournalKind, JournalRecord, Leaf, Position, origin
from federation.evidence.silence import Silence
from federation.identity import MessageId
from federation.query.answer import Answer, CodeResult
from federation.query.codes import Automation, HandlingCode, LegalBasis, Outcome, Purpose, Urgency
from federation.query.items import Field, FieldName, Item, ItemState, Record, absent, provided
from federation.query.query import CodeAsked, Query
from federation.trust import keys, merkle
from federation.trust.certificate import certificate_hash
from federation.trust.keys import Signer
from federation.trust.merkle import Frontier
from federation.wire.envelope import encode_envelope
from federation.wire.query import decode_body, encode_answer_body, encode_query_body
from tests.support.treaty import DAY, OfficerMaterial, PartyMaterial, Treaty, secret

POLICY_DIGEST = keys.digest("gsp/v1/policy", b"the policy of a test")


def private_key(label: str) -> PrivateKey:
    """A prekey or a reply key."""
    return PrivateKey(secret(0, label))


def public_key(private: PrivateKey) -> Prekey:
    """What others seal to."""
    return Prekey(key_id=key_id(private.public_key), public_key=private.public_key)


def a_query(*codes: str, reply_key: bytes = b"") -> Query:
    """A question about some codes."""
    return Query(
        codes=tuple(CodeAsked(key=code, scan=f"]d2{code}") for code in codes or ("QNA1B2C3D4",)),
        items=frozenset(Item),
        legal_basis=LegalBasis.ARTICLE_8_9,
        purpose=Purpose.INVESTIGATION,
        necessity="Packs found in a lorry without papers.",
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="case 17/2027",
        reply_key=reply_key or private_key("reply").public_key,
    )


def an_answer(query: Query, **changes: Any) -> Answer:
    """The place of manufacture, and nothing else, of every code that was asked."""
    place = Record(fields=(Field(FieldName.DATE, "2026-11-30"), Field(FieldName.COUNTRY, "QN")))
    items = tuple(provided(item, place) if item is Item.A else absent(item, ItemState.NOT_HELD) for item in sorted(Item))
    results = tuple(CodeResult(key=code.key, outcome=Outcome.FOUND, items=items) for code in query.codes)
    made = Answer(
        results=results,
        automation=Automation.AUTOMATIC,
        final=True,
        handling=HandlingCode.H1,
        text="",
        industry_consulted=False,
    )
    return replace(made, **changes)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was said, and how it went out."""

    statement: Statement
    inner: Inner
    sealed: Sealed

    @property
    def raw(self) -> bytes:
        return encode_envelope(self.sealed.envelope)


def message(
    treaty: Treaty,
    content: Query | Answer,
    *,
    sender: PartyMaterial,
    recipient: PartyMaterial,
    key: Prekey,
    number: int = 1,
    officer: OfficerMaterial | None = None,
    certificate: bytes | None = None,
    statement_signer: Signer | None = None,
    node_signer: Signer | None = None,
    statement: Mapping[str, Any] | None = None,
    route: Mapping[str, Any] | None = None,
    body: bytes | None = None,
) -> Message:
    """One message, sealed.

    Args:
        treaty: for time and checkpoint.
        content: a query, or an answer to query number 1.
        sender, recipient: whose nodes.
        key: to which it is sealed.
        number: makes the message id; the query has 1.
        officer: who signs; without one it is an answer that stands on a policy.
        certificate, statement_signer, node_signer, body: used instead of the right ones.
        statement, route: fields that are replaced.
    """
    is_query = isinstance(content, Query)
    own = officer.certificate if officer is not None else b""
    shown = own if certificate is None else certificate
    if body is None:
        encode = encode_query_body if isinstance(content, Query) else encode_answer_body
        body = encode(content, certificate=shown)  # type: ignore[arg-type]  # each with its own content
    said = Statement(
        message_id=MessageId(bytes([number]) * 16),
        kind=MessageKind.QUERY if is_query else MessageKind.ANSWER,
        conversation=MessageId(b"\x01" * 16),
        in_reply_to=None if is_query else MessageId(b"\x01" * 16),
        sender=sender.party,
        recipient=recipient.party,
        officer_id=officer.name.officer_id if officer is not None else None,
        certificate_hash=certificate_hash(shown) if officer is not None else b"",
        policy_digest=POLICY_DIGEST if officer is None else b"",
        created=treaty.now,
        deadline=treaty.now + 7 * DAY,
        body_digest=body_digest(body),
    )
    said = replace(said, **(statement or {}))
    raw = compose_statement(said)
    signer = statement_signer or (officer.signer if officer is not None else None)
    inner = Inner(
        statement=raw,
        statement_signature=signer.sign(keys.officer_message(raw)) if signer is not None else b"",
        salt=secret(number, "salt"),
        body=body,
    )
    honest = Route(
        sender=sender.name,
        recipient=recipient.name,
        key=key,
        created=treaty.now,
        expires=treaty.now + 7 * DAY,
        lane=Lane.NORMAL,
        sequence=1,
        previous_digest=b"",
        checkpoint=bare_checkpoint(treaty.replica()),
    )
    sealed = seal_message(
        inner,
        message_id=MessageId(bytes([number]) * 16),
        route=replace(honest, **(route or {})),
        cek=secret(number, "cek"),
        signer=node_signer or sender.signer,
    )
    return Message(statement=said, inner=inner, sealed=sealed)


@dataclass
class Journal:
    """A node's journal in memory."""

    owner: PartyMaterial
    frontier: Frontier = field(default_factory=Frontier)
    leaves: list[Leaf] = field(default_factory=list)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def write(self, kind: JournalKind, *, about: Message, peer: PartyMaterial, at: int) -> tuple[Leaf, Position]:
        """Append a record of a message."""
        index = len(self.leaves)
        record = JournalRecord(
            kind=kind, at=at, message_id=about.statement.message_id, peer=peer.party, digest=about.sealed.digest
        )
        salt = hashlib.sha256(f"{self.owner.party} {index}".encode()).digest()
        leaf = journal_leaf(record, salt=salt)
        self.frontier, completed = self.frontier.append(leaf.hash())
        self.nodes |= {(level, place): value for level, place, value in completed}
        self.leaves.append(leaf)
        return leaf, Position(index=index, root=self.frontier.root(), inclusion=self.inclusion(index))

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        return merkle.inclusion_proof(index, self.frontier.size, lambda level, place: self.nodes[level, place])

    def checkpoint(self) -> bytes:
        return sign_checkpoint(origin(self.owner.name.dns), self.frontier, self.owner.signer)

    def receipt(self, about: Message, *, peer: PartyMaterial, at: int) -> SignedReceipt:
        """Write down that a message came, and promise it."""
        leaf, position = self.write(JournalKind.RECEIVED, about=about, peer=peer, at=at)
        return sign_receipt(
            receiver=self.owner.name, digest=about.sealed.digest, leaf=leaf, position=position, signer=self.owner.signer
        )


@dataclass
class Conversation:
    """A query of `asking` to `answering`, the answer, and what both wrote down. An officer answers `by_hand`, or else a policy."""

    treaty: Treaty
    asking: PartyMaterial
    answering: PartyMaterial
    by_hand: bool = False

    def __post_init__(self) -> None:
        treaty, asking, answering = self.treaty, self.asking, self.answering
        question = a_query()
        reply = public_key(private_key("reply"))
        self.journals = {asking.party: Journal(asking), answering.party: Journal(answering)}
        self.query = message(
            treaty,
            question,
            sender=asking,
            recipient=answering,
            key=public_key(private_key("prekey")),
            officer=asking.officer,
        )
        self.answer = message(
            treaty,
            an_answer(question, automation=Automation.MANUAL if self.by_hand else Automation.AUTOMATIC),
            sender=answering,
            recipient=asking,
            key=reply,
            number=2,
            officer=answering.officer if self.by_hand else None,
        )
        self.receipts = {}
        for said, sender, receiver in ((self.query, asking, answering), (self.answer, answering, asking)):
            self.journals[sender.party].write(JournalKind.SENT, about=said, peer=receiver, at=treaty.now)
            receipt = self.journals[receiver.party].receipt(said, peer=sender, at=treaty.now + 1)
            self.receipts[said.statement.message_id] = receipt

    def proof(
        self,
        exporter: PartyMaterial,
        *,
        disclose: bool | Disclosure = True,
        receipts: bool = True,
        entries: tuple[LoggedEntry, ...] | None = None,
    ) -> Proof:
        """What one of the two exports: the query is the first record of both journals, the answer the second.

        The entries are those of the two and the checkpoint is cosigned by them; with other entries it is cosigned by nobody.
        """
        replica = self.treaty.replica(witnesses=(self.asking, self.answering) if entries is None else ())
        journal = self.journals[exporter.party]
        return Proof(
            directory_checkpoint=bare_checkpoint(replica, cosigned_by=(self.asking.name, self.answering.name)),
            entries=self._entries() if entries is None else entries,
            crossings=tuple(
                self._crossing(said, journal, index, disclose=disclose, receipts=receipts)
                for index, said in enumerate((self.query, self.answer))
            ),
            exporter=exporter.name,
            journal_checkpoint=journal.checkpoint(),
        )

    def _entries(self) -> tuple[LoggedEntry, ...]:
        roster = self.treaty.roster
        records = [roster.party(one.party) for one in (self.asking, self.answering)]
        nodes = {logged.index for one in records for logged in one.nodes}
        return tuple(
            LoggedEntry(index=index, leaf=self.treaty.log[index], inclusion=self.treaty.inclusion(index))
            for index in sorted({0} | {one.admit_index for one in records} | nodes)
        )

    def silence(self, proof: Proof, *, signer: Signer | None = None, **changes: Any) -> Proof:
        """The query alone, with the asking node's word that no answer came, eight days later."""
        journal = self.journals[self.asking.party]
        said = Silence(
            exporter=self.asking.name,
            message_id=self.query.statement.message_id,
            envelope_digest=self.query.sealed.digest,
            answers=(),
            at=self.treaty.now + 8 * DAY,
            journal_size=journal.frontier.size,
            journal_root=journal.frontier.root(),
        )
        signed = sign_silence(replace(said, **changes), signer or self.asking.signer)
        return replace(proof, crossings=proof.crossings[:1], silence=signed)

    def _crossing(
        self, said: Message, journal: Journal, index: int, *, disclose: bool | Disclosure, receipts: bool
    ) -> CrossingProof:
        envelope = said.sealed.envelope
        chosen = disclose if isinstance(disclose, Disclosure) else Disclosure.ALL if disclose else Disclosure.NONE
        depth = chosen.depth(said.statement.kind)
        if depth is Depth.STATEMENT and said.statement.officer_id is None:
            depth = Depth.NOTHING
        whole, told = depth is Depth.WHOLE, depth is not Depth.NOTHING
        return CrossingProof(
            header=envelope.header,
            wrap=envelope.wrap,
            ciphertext_hash=hashlib.sha512(envelope.ciphertext).digest(),
            signature=envelope.signature,
            receipt=self.receipts[said.statement.message_id] if receipts else None,
            leaf_index=index,
            leaf_salt=journal.leaves[index].salt,
            leaf_content=journal.leaves[index].content,
            inclusion=journal.inclusion(index),
            salt=said.inner.salt if whole else b"",
            statement=said.inner.statement if told else b"",
            statement_signature=said.inner.statement_signature if told else b"",
            body=said.inner.body if whole else b"",
            certificate=decode_body(said.inner.body)[1] if depth is Depth.STATEMENT else b"",
        )
