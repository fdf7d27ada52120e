"""One contract for the transports: gRPC over mutual TLS, and the network in memory on virtual time.

Each promise is a coroutine that gets both ends of a connection; it is held on the real transport and on the simulated one alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from federation.envelope import suite
from federation.envelope.attachment import AttachmentId
from federation.envelope.seal import Envelope
from federation.errors import (
    Conflict,
    FederationError,
    Forbidden,
    Malformed,
    NotFound,
    Overloaded,
    Replayed,
    StoreUnavailable,
    Unauthentic,
    Unreachable,
)
from federation.identity import MessageId, PartyId
from federation.ports import AttachmentTransport, Delivery, DirectoryService, Notice, NoticeKind, NoticeService, Peer, Transport
from federation.wire.envelope import encode_envelope
from node.rpc.attachments import AttachmentServicer, GrpcAttachments
from node.rpc.channels import Channels
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.exchange import ExchangeServicer, GrpcTransport
from tests.support.network import SimNetwork, Site
from tests.support.rpc import QM, QN, WALL_CLOCK, Directory, Exchange, Treaty, listening, node_name
from tests.support.virtual_clock import VirtualLoop, WallClock, run_virtual

ENVELOPE = Envelope(header=b"header", wrap=bytes(suite.WRAP_BYTES), ciphertext=b"ciphertext", signature=bytes(64))
RAISED = (Malformed, Unauthentic, Forbidden, Replayed, NotFound, Conflict, Overloaded, StoreUnavailable)


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A connection from qm to qn: the ports at this end, the handlers at the other."""

    peer: Peer
    transport: Transport
    directory: DirectoryService
    telling: NoticeService
    files: AttachmentTransport
    exchange: Exchange
    log: Directory


Promise = Callable[[Ends], Awaitable[None]]


async def an_envelope_arrives_byte_for_byte_with_the_name_of_its_sender(ends: Ends) -> None:
    delivery = await ends.transport.deliver(ends.peer, ENVELOPE)

    assert delivery == Delivery(receipt=b"receipt", answer=b"answer")
    assert ends.exchange.deliveries == [(node_name(QM), encode_envelope(ENVELOPE))]


async def the_same_call_may_be_made_again(ends: Ends) -> None:
    first, second = await ends.transport.deliver(ends.peer, ENVELOPE), await ends.transport.deliver(ends.peer, ENVELOPE)

    assert first == second
    assert len(ends.exchange.deliveries) == 2


async def receipts_bundles_and_pattern_sets_cross(ends: Ends) -> None:
    await ends.transport.acknowledge(ends.peer, (b"one", b"two"))

    assert ends.exchange.receipts == [(node_name(QM), (b"one", b"two"))]
    assert await ends.transport.bundles(ends.peer) == ends.exchange.known
    assert await ends.transport.pattern_set(ends.peer, PartyId("qs"), bytes(32)) == b"set of qs" + bytes(32)


async def every_error_arrives_as_the_class_message_and_hint_that_was_raised(ends: Ends) -> None:
    for kind in RAISED:
        ends.exchange.failure = kind("what happened", hint="what to do")
        with pytest.raises(kind) as arrived:
            await ends.transport.deliver(ends.peer, ENVELOPE)
        assert type(arrived.value) is kind
        assert (arrived.value.message, arrived.value.hint) == ("what happened", "what to do")


async def a_node_that_nobody_runs_is_unreachable_and_nothing_else(ends: Ends) -> None:
    nowhere = replace(ends.peer, name=node_name(QN, "two"), endpoint="127.0.0.1:1")

    with pytest.raises(Unreachable) as refused:
        await ends.transport.deliver(nowhere, ENVELOPE)
    assert refused.value.hint


async def a_node_under_another_ca_than_the_directory_lists_is_not_spoken_to(ends: Ends) -> None:
    impostor = replace(ends.peer, anchors=(Treaty().ca(QM).certificate,))

    with pytest.raises(FederationError) as refused:
        await ends.transport.deliver(impostor, ENVELOPE)
    assert isinstance(refused.value, Unreachable)
    assert ends.exchange.deliveries == []


async def the_log_is_read_and_written(ends: Ends) -> None:
    index = await ends.directory.submit(ends.peer, b"an entry")
    await ends.directory.cosign(ends.peer, b"a cosignature")

    assert index == 1
    assert await ends.directory.checkpoint(ends.peer) == b"checkpoint 2"
    assert await ends.directory.pending(ends.peer) == b"pending 2"
    assert await ends.directory.entries(ends.peer, 0, 2) == (b"genesis", b"an entry")
    assert ends.log.cosigned == [(node_name(QM), b"a cosignature")]


async def notices_cross_each_as_what_it_is(ends: Ends) -> None:
    split = Notice(kind=NoticeKind.SPLIT_VIEW, raw=b"a proof")
    revocation = Notice(kind=NoticeKind.REVOCATION, raw=b"an entry")
    await ends.telling.tell(ends.peer, split)
    await ends.telling.tell(ends.peer, revocation)

    assert ends.log.told == [(node_name(QM), split), (node_name(QM), revocation)]
    assert await ends.telling.notices(ends.peer) == (split, revocation)


async def many_calls_at_once_do_not_mix(ends: Ends) -> None:
    digests = [bytes([number]) * 32 for number in range(24)]

    replies: Sequence[Any] = await asyncio.gather(
        *(ends.transport.pattern_set(ends.peer, PartyId("qs"), digest) for digest in digests)
    )

    assert replies == [b"set of qs" + digest for digest in digests]


async def a_file_comes_in_pieces_from_where_it_is_asked_for(ends: Ends) -> None:
    message, file = MessageId(b"m" * 16), AttachmentId(b"a" * 8 + b"b" * 8)

    assert [piece async for piece in ends.files.pull(ends.peer, message, file, offset=0)] == [b"a" * 8, b"b" * 8, b"m" * 16]
    assert [piece async for piece in ends.files.pull(ends.peer, message, file, offset=2)] == [b"m" * 16]
    assert [piece async for piece in ends.files.pull(ends.peer, message, file, offset=3)] == []
    await ends.files.attached(ends.peer, file, b"receipt")
    assert ends.exchange.receipts == [(node_name(QM), (file, b"receipt"))]


async def _read(stream: AsyncIterator[bytes], came: list[bytes]) -> None:
    async for piece in stream:
        came.append(piece)  # noqa: PERF401  # what came before an error counts


async def an_error_behind_some_pieces_arrives_as_what_it_is(ends: Ends) -> None:
    for kind in RAISED:
        ends.exchange.failure = kind("what happened", hint="what to do")
        came: list[bytes] = []
        with pytest.raises(kind) as arrived:
            await _read(ends.files.pull(ends.peer, MessageId(bytes(16)), AttachmentId(bytes(16)), offset=0), came)
        assert came == [bytes(8)]
        assert (arrived.value.message, arrived.value.hint) == ("what happened", "what to do")


async def whoever_stops_reading_a_file_can_go_on_calling(ends: Ends) -> None:
    for _ in range(3):
        stream = ends.files.pull(ends.peer, MessageId(bytes(16)), AttachmentId(bytes(16)), offset=0)
        assert await anext(stream) == bytes(8)
        await stream.aclose()
    assert await ends.transport.bundles(ends.peer) == ends.exchange.known
    nowhere = replace(ends.peer, name=node_name(QN, "two"), endpoint="127.0.0.1:1")
    with pytest.raises(Unreachable):
        _ = [piece async for piece in ends.files.pull(nowhere, MessageId(bytes(16)), AttachmentId(bytes(16)), offset=0)]


PROMISES: tuple[Promise, ...] = (
    an_envelope_arrives_byte_for_byte_with_the_name_of_its_sender,
    the_same_call_may_be_made_again,
    receipts_bundles_and_pattern_sets_cross,
    every_error_arrives_as_the_class_message_and_hint_that_was_raised,
    a_node_that_nobody_runs_is_unreachable_and_nothing_else,
    a_node_under_another_ca_than_the_directory_lists_is_not_spoken_to,
    the_log_is_read_and_written,
    notices_cross_each_as_what_it_is,
    many_calls_at_once_do_not_mix,
    a_file_comes_in_pieces_from_where_it_is_asked_for,
    an_error_behind_some_pieces_arrives_as_what_it_is,
    whoever_stops_reading_a_file_can_go_on_calling,
)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_grpc_over_mutual_tls_keeps_the_promise(promise: Promise) -> None:
    treaty = Treaty()
    async with (
        listening(treaty, node_name(QN)) as served,
        Channels(own=treaty.credential(node_name(QM)), clock=WALL_CLOCK) as channels,
    ):
        await promise(
            Ends(
                peer=served.peer,
                transport=GrpcTransport(channels),
                directory=GrpcDirectory(channels),
                telling=GrpcDirectory(channels),
                files=GrpcAttachments(channels),
                exchange=served.exchange,
                log=served.directory,
            )
        )


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_the_network_in_memory_keeps_the_promise(promise: Promise) -> None:
    async def main(loop: VirtualLoop) -> None:
        caller_ca, ca = b"CA of qm", b"CA of qn"
        exchange, log = Exchange(), Directory()
        async with SimNetwork(loop) as network, asyncio.TaskGroup() as group:
            network.attach(
                Site(
                    name=node_name(QN),
                    ca=ca,
                    routes={
                        **ExchangeServicer(exchange).routes(),
                        **AttachmentServicer(exchange).routes(),
                        **DirectoryServicer(log, log).routes(),
                    },
                    anchors=lambda: {QM: (caller_ca,)},
                    spawn=group.create_task,
                )
            )
            clock = WallClock(loop)
            await promise(
                Ends(
                    peer=Peer(name=node_name(QN), endpoint="qn.example:1", anchors=(ca,)),
                    transport=network.transport(node_name(QM), ca=caller_ca, clock=clock),
                    directory=network.directory(node_name(QM), ca=caller_ca, clock=clock),
                    telling=network.directory(node_name(QM), ca=caller_ca, clock=clock),
                    files=network.attachments(node_name(QM), ca=caller_ca, clock=clock),
                    exchange=exchange,
                    log=log,
                )
            )

    run_virtual(main)
