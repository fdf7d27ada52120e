"""What must not get in, over real mTLS between two real nodes with SQLite files: each a typed error with a hint, and nothing lost.

The asking node runs in this process, so that a test can reach behind its desk and send what no honest node sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from benchmarks.federation import Bench, federation
from federation.boundary.messages import body_digest, compose_statement
from federation.envelope.header import Lane, MessageKind, Statement
from federation.envelope.seal import SALT_BYTES, Inner
from federation.errors import (
    FederationError,
    Forbidden,
    InvalidScan,
    Malformed,
    Oversized,
    Replayed,
    Unauthentic,
    UnknownParty,
)
from federation.identity import PartyId, message_id
from federation.ports import Direction
from federation.query.codes import Outcome
from federation.query.items import ALL_ITEMS
from federation.query.lifecycle import AskedState
from federation.trust.certificate import certificate_hash
from federation.trust.keys import officer_message
from federation.v1 import exchange_pb2
from federation.wire.envelope import encode_envelope
from federation.wire.query import encode_query_body
from node.rpc.exchange import DELIVER
from node.use_cases.sealing import envelope_of, sent_crossing

QN = PartyId("qn")
SHOWCASE = "pack-exported"


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with federation(tmp_path_factory.mktemp("federation")) as running:
        yield running


class Sender:
    """Sends envelopes as the asking node, past its own rules."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.asking = bench.asking
        self.outbox = bench.asking.outbox

    async def raw(self, envelope: bytes) -> exchange_pb2.DeliverReply:
        """Exactly these bytes, over the node's own channel."""
        channels = self.outbox._transport._channels
        request = exchange_pb2.DeliverRequest(envelope=envelope)
        return await channels.call(self.asking.registry.peer(QN), DELIVER, request)

    def sealed(self, statement: Statement, inner: Inner) -> bytes:
        """A correctly sealed and signed envelope of whatever is inside."""
        registry = self.asking.registry
        key = self.asking.keyring.prekey_of(QN, registry.roster)
        assert key is not None
        sealer = self.outbox._seals._sealer
        sealing = sealer.seal(inner, statement, recipient=registry.peer(QN).name, key=key[0], key_until=key[1], lane=Lane.NORMAL)
        return encode_envelope(envelope_of(sent_crossing(inner, statement, sealing, at=statement.created)))

    def statement(self, identifier: bytes, body: bytes) -> Statement:
        now = self.outbox._world.now()
        return Statement(
            message_id=message_id(identifier),
            kind=MessageKind.QUERY,
            conversation=message_id(identifier),
            in_reply_to=None,
            sender=PartyId("qm"),
            recipient=QN,
            officer_id=self.bench.officer.officer_id,
            certificate_hash=certificate_hash(self.bench.certificate),
            policy_digest=b"",
            created=now,
            deadline=now + 3_600,
            body_digest=body_digest(body),
        )

    def inner(self, statement: Statement, body: bytes) -> Inner:
        encoded = compose_statement(statement)
        signature = self.bench.signer.sign(officer_message(encoded))
        return Inner(statement=encoded, statement_signature=signature, salt=bytes(SALT_BYTES), body=body)

    async def body(self) -> bytes:
        """The body of a real query of this officer."""
        view = await self.bench.ask(self.bench.showcases[SHOWCASE])
        return encode_query_body(view.query, certificate=self.bench.certificate)


@pytest.fixture
def sender(bench: Bench) -> Sender:
    return Sender(bench)


async def last_sent(bench: Bench) -> bytes:
    """The envelope of a query that was answered just now, as it crossed."""
    store = bench.asking.outbox._store
    captured: list[bytes] = []
    transport = bench.asking.outbox._transport
    original = transport.deliver

    async def deliver(peer, envelope):
        captured.append(encode_envelope(envelope))
        return await original(peer, envelope)

    transport.deliver = deliver
    try:
        view = await bench.ask(bench.showcases[SHOWCASE])
    finally:
        del transport.deliver
    assert (await store.crossing(Direction.SENT, view.asked.message_id)) is not None
    return captured[0]


async def test_an_answer_comes_item_by_item_over_the_issuers_signature(bench: Bench) -> None:
    view = await bench.ask(bench.showcases[SHOWCASE])

    assert view.asked.state is AskedState.ANSWERED
    (answer,) = view.answers
    assert answer.sender == QN
    (result,) = answer.answer.results
    assert [item.item for item in result.items] == sorted(ALL_ITEMS)


async def test_a_code_that_was_never_issued_is_answered_so(bench: Bench) -> None:
    view = await bench.ask(bench.showcases["pack-never-issued"])

    assert view.answers[0].answer.results[0].outcome is Outcome.NEVER_ISSUED


async def test_one_flipped_bit_anywhere_in_an_envelope_is_refused(bench: Bench, sender: Sender) -> None:
    envelope = await last_sent(bench)

    for position in range(0, len(envelope), max(1, len(envelope) // 40)):
        flipped = bytearray(envelope)
        flipped[position] ^= 0x10
        with pytest.raises(FederationError) as refused:
            await sender.raw(bytes(flipped))
        assert isinstance(refused.value, (Unauthentic, Malformed, Forbidden, UnknownParty))
        assert refused.value.hint


async def test_the_same_envelope_again_gets_the_same_receipt_and_is_not_taken_twice(bench: Bench, sender: Sender) -> None:
    envelope = await last_sent(bench)

    first, second = await sender.raw(envelope), await sender.raw(envelope)

    assert first.receipt == second.receipt


async def test_a_message_id_with_another_statement_is_a_replay(sender: Sender) -> None:
    body = await sender.body()
    identifier = bytes(range(16))
    statement = sender.statement(identifier, body)
    await sender.raw(sender.sealed(statement, sender.inner(statement, body)))
    other = replace(statement, deadline=statement.deadline + 1)

    with pytest.raises(Replayed):
        await sender.raw(sender.sealed(other, sender.inner(other, body)))


async def test_an_unknown_field_in_a_request_is_refused(bench: Bench, sender: Sender) -> None:
    envelope = await last_sent(bench)

    with pytest.raises(Malformed):
        await sender.raw(envelope + b"\xa2\x06\x01x")  # field 100, one byte


async def test_a_body_swapped_under_a_signed_statement_is_refused(sender: Sender) -> None:
    body = await sender.body()
    statement = sender.statement(b"s" * 16, body)
    honest = sender.inner(statement, body)
    swapped = replace(honest, body=body.replace(b"border", b"harbor"))
    assert swapped.body != honest.body

    with pytest.raises(Unauthentic):
        await sender.raw(sender.sealed(statement, swapped))


async def test_an_officers_signature_over_other_bytes_is_refused(sender: Sender) -> None:
    body = await sender.body()
    statement = sender.statement(b"t" * 16, body)
    honest = sender.inner(statement, body)
    forged = replace(honest, statement_signature=bytes(reversed(honest.statement_signature)))

    with pytest.raises(Unauthentic):
        await sender.raw(sender.sealed(statement, forged))


async def test_an_oversized_envelope_is_refused_before_it_is_read(sender: Sender) -> None:
    with pytest.raises(Oversized):
        await sender.raw(bytes(5_000_000))


async def test_a_statement_for_another_party_is_refused(sender: Sender) -> None:
    body = await sender.body()
    statement = replace(sender.statement(b"u" * 16, body), recipient=PartyId("qo"))
    sealed = sender.sealed(replace(statement, recipient=QN), sender.inner(statement, body))

    with pytest.raises(Forbidden):
        await sender.raw(sealed)


async def test_a_malformed_scan_and_an_unknown_party_say_what_to_do(bench: Bench) -> None:
    with pytest.raises(InvalidScan) as unreadable:
        await bench.asking.desk.resolve(bench.officer, "\x00\x01")
    assert unreadable.value.hint
    with pytest.raises(UnknownParty) as unknown:
        bench.asking.registry.peer(PartyId("zz"))
    assert unknown.value.hint


async def test_with_the_secretariat_gone_known_parties_go_on(bench: Bench) -> None:
    await bench.stop_secretariat()

    view = await bench.ask(bench.showcases[SHOWCASE])

    assert view.asked.state is AskedState.ANSWERED


async def test_after_all_that_the_next_honest_query_is_answered(bench: Bench) -> None:
    views = await asyncio.gather(*(bench.ask(bench.showcases[SHOWCASE]) for _ in range(8)))

    assert {view.asked.state for view in views} == {AskedState.ANSWERED}
