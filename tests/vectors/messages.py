"""Known answers for the encodings that are hashed and signed, for this project and for other programs.

Each message stands beside the bytes it becomes, and beside what is computed over these bytes. The keys are those of
`primitives`; certificates are opaque here, so short stand-ins serve.

`python -m tests.vectors.messages` writes the file again; a change in it is a change of the protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from federation.boundary.directory import genesis_digest, join_signatures, sign_body
from federation.boundary.messages import body_digest, key_id
from federation.boundary.receipts import journal_leaf, sign_receipt
from federation.envelope.header import Header, Lane, MessageKind, Prekey, PrekeyBundle, Statement
from federation.envelope.seal import header_hash
from federation.evidence.journal import NO_MESSAGE, JournalKind, JournalRecord, Position, Restoration, origin
from federation.identity import MessageId, NodeName, PartyId
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.codes import Automation, HandlingCode, LegalBasis, Outcome, Purpose, UimStatus, Urgency
from federation.query.items import Field, FieldName, Item, ItemState, Record, absent, provided
from federation.query.policy import ItemRule, Policy, Rule
from federation.query.query import CodeAsked, Query
from federation.trust import keys
from federation.trust.directory import entry_message
from federation.trust.entries import EntryBody, EntryKind
from federation.uim.codes import KeyForm, Label, Level
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.segments import CharacterSegment, Charset, LiteralSegment
from federation.wire.directory import encode_entry_body
from federation.wire.envelope import encode_bundle, encode_header, encode_statement
from federation.wire.evidence import encode_record, encode_signed_receipt
from federation.wire.patterns import encode_pattern_set
from federation.wire.query import encode_answer_body, encode_policy, encode_query_body
from tests.vectors.log_entries import ENTRIES, LATER_FIELDS
from tests.vectors.primitives import FOLDER, NODE, OFFICER

QM, QN = PartyId("qm"), PartyId("qn")
ASKING = NodeName(party=QM, node_id="one", domain="gsp.example")
ANSWERING = NodeName(party=QN, node_id="one", domain="gsp.example")
QUERY_ID, ANSWER_ID = MessageId(bytes(range(16))), MessageId(bytes(range(16, 32)))
NOW = 1_800_000_000
CERTIFICATE = b"the certificate of an officer"

QUERY = Query(
    codes=(CodeAsked(key="QNA1B2C3D4", scan="]d2QNA1B2C3D4"),),
    items=frozenset({Item.A, Item.F, Item.H}),
    legal_basis=LegalBasis.ARTICLE_8_9,
    purpose=Purpose.INVESTIGATION,
    necessity="Packs found in a lorry without papers.",
    handling=HandlingCode.H1,
    urgency=Urgency.URGENT,
    reference="case 17/2027",
    reply_key=bytes(range(64)) * 19,
)
ANSWER = Answer(
    results=(
        CodeResult(
            key="QNA1B2C3D4",
            outcome=Outcome.FOUND,
            status=frozenset({UimStatus.ACTIVE, UimStatus.EXPORTED}),
            last_known=LastKnown(time=NOW - 86_400, place="Port of Qu", country="QN", event="departure", planned=True),
            complete_as_of=NOW - 3_600,
            items=tuple(
                provided(item, Record(fields=(Field(FieldName.MARKET, "QO"),)))
                if item is Item.F
                else absent(item, ItemState.NOT_HELD)
                for item in sorted(Item)
            ),
        ),
    ),
    automation=Automation.AUTOMATIC,
    final=True,
    handling=HandlingCode.H1,
    text="",
    industry_consulted=False,
)
POLICY = Policy(
    standard=Automation.MANUAL,
    rules=(
        Rule(
            parties=frozenset({QM}),
            purposes=frozenset({Purpose.DETECTION, Purpose.INVESTIGATION}),
            automation=Automation.AUTOMATIC,
            items=(ItemRule(item=Item.E, state=ItemState.WITHHELD_LEGAL),),
            codes_max=50,
        ),
    ),
)
PATTERNS = PatternSet(
    party=QN,
    version=3,
    patterns=(
        Pattern(
            pattern_id="pack",
            version=2,
            owner=QN,
            title="Pack",
            source="made for this vector",
            label=Label.INVENTED,
            level=Level.UNIT,
            valid_from_s=0,
            form=KeyForm.PLAIN,
            segments=(
                LiteralSegment(name="issuer", text="QN"),
                CharacterSegment(name="serial", charset=Charset.UPPER_DIGITS, shortest=8, longest=8, excluded="IO"),
            ),
            examples=("QNA1B2C3D4",),
            counter_examples=("QMA1B2C3D4",),
        ),
    ),
)


def messages() -> Any:
    query_body = encode_query_body(QUERY, certificate=CERTIFICATE)
    answer_body = encode_answer_body(ANSWER, certificate=b"")
    policy = encode_policy(POLICY)
    statements = {
        "query": _statement(kind=MessageKind.QUERY, body=query_body),
        "answer": _statement(kind=MessageKind.ANSWER, body=answer_body, policy=policy),
    }
    return {
        "query body": _shown(QUERY, query_body) | {"certificate": CERTIFICATE.hex(), "digest": body_digest(query_body).hex()},
        "answer body": _shown(ANSWER, answer_body) | {"digest": body_digest(answer_body).hex()},
        "policy": _shown(POLICY, policy) | {"digest": keys.digest("gsp/v1/policy", policy).hex()},
        **{f"statement of a {kind}": value for kind, value in statements.items()},
        "header": _header(),
        "prekey bundle": _bundle(),
        "receipt": _receipt(),
        "record of a new epoch of the journal": _epoch(),
        "pattern set": _shown(PATTERNS, encode_pattern_set(PATTERNS)),
    }


def entries() -> Any:
    return {str(kind): _entry(kind, body, signers) for kind, (body, signers) in ENTRIES.items()} | {
        f"{kind} with later fields": _entry(kind, body, ENTRIES[kind][1]) for kind, body in LATER_FIELDS.items()
    }


def _entry(kind: EntryKind, body: EntryBody, signers: tuple[keys.SoftwareSigner, ...]) -> Any:
    encoded = encode_entry_body(body)
    leaf = join_signatures(kind, encoded, [sign_body(kind, encoded, signer) for signer in signers])
    return _shown(body, encoded) | {
        "signed message": entry_message(kind, encoded).hex(),
        "signers": [signer.public_key.hex() for signer in signers],
        "leaf": leaf.hex(),
        "leaf hash": genesis_digest(leaf).hex(),
    }


def _statement(*, kind: MessageKind, body: bytes, policy: bytes = b"") -> Any:
    is_query = kind is MessageKind.QUERY
    sender, recipient = (QM, QN) if is_query else (QN, QM)
    statement = Statement(
        message_id=QUERY_ID if is_query else ANSWER_ID,
        kind=kind,
        conversation=QUERY_ID,
        in_reply_to=None if is_query else QUERY_ID,
        sender=sender,
        recipient=recipient,
        officer_id="a1b2c3d4e5f6" if is_query else None,
        certificate_hash=bytes(range(32)) if is_query else b"",
        policy_digest=b"" if is_query else keys.digest("gsp/v1/policy", policy),
        created=NOW,
        deadline=NOW + 604_800,
        body_digest=body_digest(body),
    )
    encoded = encode_statement(statement)
    signature = {"signature": OFFICER.sign(keys.officer_message(encoded)).hex()} if is_query else {}
    return _shown(statement, encoded) | signature


def _header() -> Any:
    header = Header(
        version=1,
        suite=1,
        message_id=QUERY_ID,
        sender=ASKING,
        recipient=ANSWERING,
        created=NOW,
        expires=NOW + 604_800,
        lane=Lane.URGENT,
        sequence=2,
        previous_digest=bytes(range(32)),
        checkpoint=b"a signed note",
        key_id=key_id(QUERY.reply_key),
        wrap_bytes=1_168,
        ciphertext_bytes=2_048,
        commitment=bytes(range(32, 64)),
    )
    encoded = encode_header(header)
    return _shown(header, encoded) | {"hash": header_hash(encoded).hex()}


def _bundle() -> Any:
    prekeys = (Prekey(key_id=key_id(QUERY.reply_key), public_key=QUERY.reply_key),)
    bundle = PrekeyBundle(node=ASKING, created=NOW, expires=NOW + 604_800, prekeys=prekeys)
    encoded = encode_bundle(bundle)
    return _shown(bundle, encoded) | {"signature": NODE.sign(keys.pae("bundle", encoded)).hex()}


def _receipt() -> Any:
    digest = bytes(range(64, 96))
    record = JournalRecord(kind=JournalKind.RECEIVED, at=NOW + 1, message_id=QUERY_ID, peer=QM, digest=digest)
    leaf = journal_leaf(record, salt=bytes(range(32)))
    signed = sign_receipt(
        receiver=ANSWERING,
        digest=digest,
        leaf=leaf,
        position=Position(index=0, root=leaf.hash(), inclusion=()),
        signer=NODE,
    )
    return _shown(record, leaf.content) | {
        "salt": leaf.salt.hex(),
        "leaf hash": leaf.hash().hex(),
        "receipt": signed.statement.hex(),
        "signature": signed.signature.hex(),
        "signed receipt": encode_signed_receipt(signed).hex(),
    }


def _epoch() -> Any:
    """The record with which a journal goes on after the node was put back from a copy."""
    record = JournalRecord(
        kind=JournalKind.EPOCH,
        at=NOW + 2,
        message_id=NO_MESSAGE,
        peer=QM,
        digest=bytes(range(32)),
        restoration=Restoration(number=NOW, size=7, taken=NOW - 86_400),
    )
    content = encode_record(record)
    return _shown(record, content) | {"journal": origin(ANSWERING.dns, NOW)}


def _shown(value: object, encoded: bytes) -> dict[str, Any]:
    return {"value": _plain(value), "encoded": encoded.hex()}


def _plain(value: object) -> Any:
    """As JSON: bytes in hexadecimal, sets in their order, values by the names of their fields."""
    if is_dataclass(value):
        shown = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        return {"is": type(value).__name__} | shown
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(_plain(one) for one in value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Enum) else value


FILES: dict[str, Callable[[], Any]] = {"messages.json": messages, "entries.json": entries}


def render(name: str) -> str:
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file_name in FILES:
        (FOLDER / file_name).write_text(render(file_name), encoding="utf-8")
