"""Hypothesis strategies for every value that crosses between nodes or is signed. Whatever they give can be encoded."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from hypothesis import strategies as st

from federation import limits
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope.header import PROTOCOL_VERSION, Header, Lane, MessageKind, Prekey, PrekeyBundle, Statement
from federation.envelope.seal import Envelope
from federation.envelope.suite import PUBLIC_KEY_BYTES, WRAP_BYTES
from federation.evidence.bundle import CrossingProof, LoggedEntry, Proof
from federation.evidence.journal import NO_MESSAGE, JournalKind, JournalRecord, Restoration
from federation.evidence.silence import SignedSilence, Silence
from federation.identity import MessageId, NodeName, PartyId
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.codes import Automation, HandlingCode, LegalBasis, Outcome, Purpose, Refusal, UimStatus, Urgency
from federation.query.items import Field, FieldName, Item, ItemAnswer, ItemState, Record
from federation.query.policy import ItemRule, Policy, Rule
from federation.query.query import CodeAsked, Query
from federation.uim.check import CheckMethod
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.pattern import Decoding, Pattern, PatternSet, PrintedItem
from federation.uim.segments import (
    CHARACTERS,
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    SeparatorSegment,
)
from tests.support.attachment_values import ATTACHED, NAMED_ONES

Value = TypeVar("Value")
Strategy = st.SearchStrategy

UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TIMES = st.integers(0, limits.TIME_S_MAX)


def exact(size: int) -> Strategy[bytes]:
    """Bytes of one size."""
    return st.binary(min_size=size, max_size=size)


def some(strategy: Strategy[Value], *, least: int = 0, most: int = 3) -> Strategy[tuple[Value, ...]]:
    """A few of them."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def distinct(strategy: Strategy[Value], *, least: int = 0, most: int = 3, by: Callable[[Value], Any] | None = None) -> Any:
    """A few different ones."""
    return st.lists(strategy, min_size=least, max_size=most, unique_by=by or (lambda one: one)).map(tuple)


def members(of: Iterable[Value], *, least: int = 0) -> Strategy[frozenset[Value]]:
    """A set of members of a vocabulary."""
    return st.frozensets(st.sampled_from(list(of)), min_size=least)


def texts(most: int = 20, *, least: int = 0, lines: bool = False) -> Strategy[str]:
    """Printable text of many scripts."""
    letters = st.characters(categories=["L", "N", "P", "S", "M"], include_characters=" \u00a0\u200d")
    return st.text(letters | st.just("\n") if lines else letters, min_size=least, max_size=most)


DIGESTS = exact(32)
SIGNATURES = exact(64)
OPTIONAL_DIGESTS = DIGESTS | st.just(b"")
PARTIES = st.text(string.ascii_lowercase, min_size=2, max_size=2).map(PartyId)
MESSAGE_IDS = exact(16).map(MessageId)
DOMAINS = st.sampled_from(["gsp.example", "focal-point.example.org"])
NODES = st.builds(
    NodeName,
    party=st.none() | PARTIES,
    node_id=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True),
    domain=DOMAINS,
)
OFFICER_IDS = st.from_regex(r"[a-z0-9]{8,12}", fullmatch=True)
PATHS = some(DIGESTS)

# --- envelopes -----------------------------------------------------------------------------------------------------

ENVELOPES = st.builds(
    Envelope,
    header=st.binary(min_size=1, max_size=60),
    wrap=exact(16).map(lambda seed: seed * (WRAP_BYTES // 16)),
    ciphertext=st.binary(max_size=60),
    signature=SIGNATURES,
)
HEADERS = (st.just((1, b"")) | st.tuples(st.integers(2, limits.LANE_SEQUENCE_MAX), DIGESTS)).flatmap(
    lambda place: st.builds(
        Header,
        version=st.just(PROTOCOL_VERSION),
        suite=UINT32,
        message_id=MESSAGE_IDS,
        sender=NODES,
        recipient=NODES,
        created=TIMES,
        expires=TIMES,
        lane=st.sampled_from(Lane),
        sequence=st.just(place[0]),
        previous_digest=st.just(place[1]),
        checkpoint=st.binary(max_size=60),
        key_id=exact(16),
        wrap_bytes=UINT32,
        ciphertext_bytes=UINT32,
        commitment=DIGESTS,
        attachments=NAMED_ONES,
    )
)


@st.composite
def _statements(draw: st.DrawFn) -> Statement:
    kind = draw(st.sampled_from(MessageKind))
    by_officer = kind is MessageKind.QUERY or draw(st.booleans())
    message_id = draw(MESSAGE_IDS)
    in_reply_to = draw(MESSAGE_IDS) if kind is MessageKind.ANSWER else None
    return Statement(
        message_id=message_id,
        kind=kind,
        conversation=in_reply_to or message_id,
        in_reply_to=in_reply_to,
        sender=draw(PARTIES),
        recipient=draw(PARTIES),
        officer_id=draw(OFFICER_IDS) if by_officer else None,
        certificate_hash=draw(DIGESTS) if by_officer else b"",
        policy_digest=b"" if by_officer else draw(DIGESTS),
        created=draw(TIMES),
        deadline=draw(TIMES),
        body_digest=draw(DIGESTS),
    )


STATEMENTS = _statements()
SEALING_KEYS = exact(16).map(lambda seed: seed * (PUBLIC_KEY_BYTES // 16))
"""Bytes of the right size; only the boundary asks whether one can be sealed to."""
BUNDLES = st.builds(
    PrekeyBundle,
    node=NODES,
    created=TIMES,
    expires=TIMES,
    prekeys=some(st.builds(Prekey, key_id=exact(16), public_key=SEALING_KEYS), least=1, most=limits.PREKEYS_PER_BUNDLE_MAX),
)

# --- queries and answers -------------------------------------------------------------------------------------------

KEYS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
CODES = st.builds(CodeAsked, key=KEYS, scan=st.text(max_size=20))
QUERIES = st.builds(
    Query,
    codes=distinct(CODES, least=1, by=lambda code: code.key),
    items=members(Item),
    legal_basis=st.sampled_from(LegalBasis),
    purpose=st.sampled_from(Purpose),
    necessity=texts(least=1, lines=True).filter(str.strip),
    handling=st.sampled_from(HandlingCode),
    urgency=st.sampled_from(Urgency),
    reference=texts(),
    market_statement=texts(),
    reply_key=SEALING_KEYS,
    attachments=ATTACHED,
)
RECORDS = st.builds(
    Record,
    fields=some(st.builds(Field, st.sampled_from(FieldName), texts(least=1))),
    planned=st.booleans(),
)


def item_answers(item: Item) -> Strategy[ItemAnswer]:
    """One item, provided or not."""
    absent = st.builds(
        ItemAnswer, item=st.just(item), state=st.sampled_from([state for state in ItemState if state is not ItemState.PROVIDED])
    )
    given = st.builds(ItemAnswer, item=st.just(item), state=st.just(ItemState.PROVIDED), records=some(RECORDS, least=1, most=2))
    return absent | given


LAST_KNOWN = st.builds(
    LastKnown,
    time=TIMES,
    place=texts(),
    country=st.text(string.ascii_uppercase, max_size=2),
    event=texts(),
    planned=st.booleans(),
)
FOUND = st.builds(
    CodeResult,
    key=KEYS,
    outcome=st.just(Outcome.FOUND),
    status=members(UimStatus),
    last_known=st.none() | LAST_KNOWN,
    complete_as_of=st.none() | st.integers(1, limits.TIME_S_MAX),
    items=st.tuples(*(item_answers(item) for item in sorted(Item))),
)
MISSED = st.builds(CodeResult, key=KEYS, outcome=st.sampled_from([Outcome.NEVER_ISSUED, Outcome.NOT_OURS]))
REFUSED = st.builds(CodeResult, key=KEYS, outcome=st.just(Outcome.REFUSED), refusal=st.sampled_from(Refusal))
_ANSWERS = partial(
    st.builds,
    Answer,
    results=some(FOUND | MISSED | REFUSED, least=1, most=2),
    final=st.booleans(),
    handling=st.sampled_from(HandlingCode),
    text=texts(lines=True),
    industry_consulted=st.booleans(),
)
ANSWERS = _ANSWERS(automation=st.just(Automation.AUTOMATIC)) | _ANSWERS(
    automation=st.sampled_from([Automation.MANUAL, Automation.ASSISTED]), attachments=ATTACHED
)
BODIES = st.tuples(QUERIES | ANSWERS, st.binary(max_size=40))
"""What a body says, and the officer's certificate."""
POLICIES = st.builds(
    Policy,
    standard=st.sampled_from(Automation),
    rules=some(
        st.builds(
            Rule,
            parties=st.frozensets(PARTIES, max_size=3),
            purposes=members(Purpose),
            automation=st.sampled_from(Automation),
            items=distinct(
                st.builds(ItemRule, item=st.sampled_from(Item), state=st.sampled_from(ItemState)), by=lambda one: one.item
            ),
            codes_max=st.integers(1, limits.CODES_PER_QUERY_MAX),
        )
    ),
)

# --- evidence ------------------------------------------------------------------------------------------------------

SIGNED_RECEIPTS = st.builds(SignedReceipt, statement=st.binary(max_size=60), signature=SIGNATURES)
RECEIPTS = st.builds(
    Receipt,
    receiver=NODES,
    message_id=MESSAGE_IDS,
    envelope_digest=DIGESTS,
    received_at=TIMES,
    leaf_index=UINT64,
    leaf_salt=DIGESTS,
    leaf_content=st.binary(max_size=60),
    inclusion=PATHS,
    checkpoint=st.binary(max_size=60),
)
_RECORDS = st.builds(
    JournalRecord,
    kind=st.sampled_from(sorted(set(JournalKind) - {JournalKind.EPOCH})),
    at=TIMES,
    message_id=MESSAGE_IDS,
    peer=PARTIES,
    digest=DIGESTS,
    note=texts(),
)
_EPOCH_RECORDS = st.builds(
    JournalRecord,
    kind=st.just(JournalKind.EPOCH),
    at=TIMES,
    message_id=st.just(NO_MESSAGE),
    peer=PARTIES,
    digest=DIGESTS,
    restoration=st.builds(Restoration, number=st.integers(2, limits.TIME_S_MAX), size=st.integers(0, 2**64 - 1), taken=TIMES),
)
JOURNAL_RECORDS = _RECORDS | _EPOCH_RECORDS
CROSSINGS = st.builds(
    CrossingProof,
    header=st.binary(max_size=40),
    wrap=st.binary(max_size=40),
    ciphertext_hash=exact(64),
    signature=SIGNATURES,
    receipt=st.none() | SIGNED_RECEIPTS,
    leaf_index=UINT64,
    leaf_salt=DIGESTS,
    leaf_content=st.binary(max_size=40),
    inclusion=PATHS,
    salt=OPTIONAL_DIGESTS,
    statement=st.binary(max_size=40),
    statement_signature=st.binary(max_size=40),
    body=st.binary(max_size=40),
    certificate=st.binary(max_size=40),
    attached=st.lists(SIGNED_RECEIPTS, max_size=3).map(tuple),
)
SILENCES = st.builds(
    Silence,
    exporter=NODES,
    message_id=MESSAGE_IDS,
    envelope_digest=DIGESTS,
    answers=some(MESSAGE_IDS),
    at=TIMES,
    journal_size=UINT64,
    journal_root=DIGESTS,
)
PROOFS = st.builds(
    Proof,
    directory_checkpoint=st.binary(max_size=60),
    entries=some(st.builds(LoggedEntry, index=UINT64, leaf=st.binary(max_size=40), inclusion=PATHS)),
    crossings=some(CROSSINGS),
    exporter=NODES,
    journal_checkpoint=st.binary(max_size=60),
    silence=st.none() | st.builds(SignedSilence, statement=st.binary(max_size=40), signature=SIGNATURES),
)

# --- patterns ------------------------------------------------------------------------------------------------------

WORDS = texts(least=1)
CODE_TEXTS = st.text(string.ascii_letters + string.digits + "-./", min_size=1, max_size=6)


@st.composite
def _segments(draw: st.DrawFn) -> tuple[object, ...]:
    """A row that can be cut in one way: a literal, then segments of one length each, and perhaps a varying one at the end."""
    shapes = draw(st.lists(st.sampled_from(["literal", "characters", "checked", "date", "separator"]), max_size=4))
    return (
        LiteralSegment(name="issuer", text=draw(CODE_TEXTS)),
        *(_segment(draw, f"part-{number}", shape) for number, shape in enumerate(shapes)),
        *([_varying(draw)] if draw(st.booleans()) else []),
    )


def _segment(draw: st.DrawFn, name: str, shape: str) -> object:
    stored, length = draw(st.booleans()), draw(st.integers(1, 10))
    match shape:
        case "literal":
            return LiteralSegment(name=name, text=draw(CODE_TEXTS), stored=stored)
        case "characters":
            charset = draw(st.sampled_from(Charset))
            return CharacterSegment(name=name, charset=charset, shortest=length, longest=length, stored=stored)
        case "checked":
            method = draw(st.sampled_from(CheckMethod))
            return CheckedSegment(name=name, charset=Charset.DIGITS, length=length, method=method, stored=stored)
        case "date":
            return DateSegment(name=name, form=draw(st.sampled_from(DateForm)), stored=stored)
        case _:
            return SeparatorSegment(name=name, text=draw(st.sampled_from("-./: _|#")))


def _varying(draw: st.DrawFn) -> CharacterSegment:
    charset = draw(st.sampled_from(Charset))
    excluded = draw(st.lists(st.sampled_from(sorted(CHARACTERS[charset])), max_size=3, unique=True))
    return CharacterSegment(name="rest", charset=charset, shortest=1, longest=20, excluded="".join(excluded))


@st.composite
def _patterns(draw: st.DrawFn, pattern_id: str) -> Pattern:
    segments = draw(_segments())
    bounds = draw(distinct(TIMES, least=2, most=2).map(sorted))
    rows = distinct(st.tuples(texts(), WORDS), by=lambda row: row[0])
    decoding = st.builds(
        Decoding,
        item=st.sampled_from(PrintedItem),
        name=st.sampled_from(["time", "facility-id"]),
        segment=st.sampled_from([segment.name for segment in segments]),
        table=rows,
    )
    return Pattern(
        pattern_id=pattern_id,
        version=draw(st.integers(1, 2**31 - 1)),
        owner=draw(PARTIES),
        answered_by=draw(st.none() | PARTIES),
        title=draw(WORDS),
        source=draw(WORDS),
        label=draw(st.sampled_from(Label)),
        level=draw(st.none() | st.sampled_from(Level)),
        product_classes=draw(distinct(st.sampled_from(ProductClass))),
        carriers=draw(distinct(st.sampled_from(Carrier))),
        qualifiers=draw(distinct(st.sampled_from(["01", "235", "8008", "25S"]))),
        valid_from_s=draw(st.none() | st.just(bounds[0])),
        valid_until_s=draw(st.none() | st.just(bounds[1])),
        form=draw(st.sampled_from(KeyForm)),
        segments=segments,
        names_issuer=draw(st.booleans()),
        decodings=draw(some(decoding, most=2)),
        examples=draw(some(st.text(max_size=10), least=1)),
        counter_examples=draw(some(st.text(max_size=10))),
    )


SERIALS = LiteralSegment(name="serial", text="0")
SSCC_PATTERN = Pattern(
    pattern_id="sscc",
    version=1,
    owner=PartyId("qm"),
    title="a shipping unit",
    source="made for this test",
    label=Label.INVENTED,
    form=KeyForm.SSCC,
    segments=(SERIALS,),
    examples=("0",),
)
"""Lets a set list company prefixes."""
PATTERN_SETS = st.builds(
    PatternSet,
    party=PARTIES,
    version=st.integers(1, 2**31 - 1),
    patterns=st.integers(0, 2).flatmap(
        lambda count: st.tuples(*(_patterns(f"p-{number}") for number in range(count)), st.just(SSCC_PATTERN))
    ),
    company_prefixes=distinct(st.text(string.digits, min_size=3, max_size=12)),
    languages=distinct(st.text(string.ascii_lowercase, min_size=2, max_size=2)),
    brands=distinct(texts(least=1).filter(str.strip), by=str.casefold),
)
