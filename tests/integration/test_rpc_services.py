"""Every method of the services between nodes, over real mTLS on loopback."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from federation.envelope import suite
from federation.envelope.seal import Envelope
from federation.errors import Malformed, Oversized, Unreachable
from federation.ports import AttachmentTransport, Delivery, DirectoryService, NoticeService, Peer, Transport
from federation.trust.keys import SIGNATURE_BYTES
from federation.v1 import directory_pb2, exchange_pb2
from federation.wire.envelope import encode_envelope
from node.rpc import attachments, directory, enrolment, exchange
from node.rpc.attachments import GrpcAttachments
from node.rpc.calls import Method
from node.rpc.channels import Channels
from node.rpc.directory import GrpcDirectory
from node.rpc.exchange import GrpcTransport
from tests.support.rpc import QM, QN, WALL_CLOCK, Served, Treaty, listening, node_name

ENVELOPE = Envelope(header=b"header", wrap=bytes(suite.WRAP_BYTES), ciphertext=b"ciphertext", signature=bytes(SIGNATURE_BYTES))


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Served, Channels]]:
    """A node of Party qm that listens, and the channels of a node of Party qn."""
    treaty = Treaty()
    async with (
        listening(treaty, node_name(QM)) as served,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels,
    ):
        yield served, channels


async def test_an_envelope_arrives_with_the_name_of_the_node_that_sent_it():
    async with pair() as (served, channels):
        delivery = await GrpcTransport(channels).deliver(served.peer, ENVELOPE)

    assert delivery == Delivery(receipt=b"receipt", answer=b"answer")
    assert served.exchange.deliveries == [(node_name(QN), encode_envelope(ENVELOPE))]


async def test_receipts_bundles_and_pattern_sets_cross():
    async with pair() as (served, channels):
        transport = GrpcTransport(channels)
        await transport.acknowledge(served.peer, [b"one", b"two"])

        assert served.exchange.receipts == [(node_name(QN), (b"one", b"two"))]
        assert await transport.bundles(served.peer) == (b"bundle of one", b"bundle of two")
        assert await transport.pattern_set(served.peer, QM, bytes(32)) == b"set of qm" + bytes(32)


async def test_the_log_is_read_and_written_through_the_directory_service():
    async with pair() as (served, channels):
        log = GrpcDirectory(channels)

        assert await log.submit(served.peer, b"leaf") == 1
        assert await log.checkpoint(served.peer) == b"checkpoint 2"
        assert await log.entries(served.peer, 0, 2) == (b"genesis", b"leaf")
        assert await log.consistency(served.peer, 1, 2) == (b"consistency", b"1", b"2")
        assert await log.inclusion(served.peer, 1, 2) == (b"inclusion", b"1", b"2")
        await log.cosign(served.peer, b"note")
        assert served.directory.cosigned == [(node_name(QN), b"note")]


@pytest.mark.parametrize("span", [(3, 2), (0, 2**63)])
async def test_positions_out_of_order_or_beyond_any_log_are_refused(span):
    async with pair() as (served, channels):
        with pytest.raises(Malformed, match="positions in the log"):
            await GrpcDirectory(channels).consistency(served.peer, *span)


async def test_more_entries_than_were_asked_for_are_refused():
    async with pair() as (served, channels):
        served.directory.entries = lambda start, end: _leaves(3)

        with pytest.raises(Oversized, match="entries"):
            await GrpcDirectory(channels).entries(served.peer, 0, 2)


async def test_more_bundles_than_there_can_be_are_refused():
    async with pair() as (served, channels):
        served.exchange.known = (b"",) * 513

        with pytest.raises(Oversized, match="bundles"):
            await GrpcTransport(channels).bundles(served.peer)


async def test_more_receipts_than_can_be_under_way_are_refused():
    async with pair() as (served, channels):
        with pytest.raises(Oversized, match="receipts"):
            await GrpcTransport(channels).acknowledge(served.peer, [b""] * 257)

    assert not served.exchange.receipts


async def test_a_digest_of_another_length_is_refused():
    async with pair() as (served, channels):
        with pytest.raises(Malformed, match="digest"):
            await GrpcTransport(channels).pattern_set(served.peer, QM, b"short")


@pytest.mark.parametrize("endpoint", ["unix:/run/secret", "xds:///nodes", "host", "127.0.0.1:0", "a/b:1", ""])
async def test_an_endpoint_that_would_choose_another_resolver_is_not_dialled(endpoint):
    treaty = Treaty()
    peer = Peer(name=node_name(QM), endpoint=endpoint, anchors=(treaty.ca(QM).certificate,))
    async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels:
        with pytest.raises(Unreachable, match="address"):
            await GrpcTransport(channels).bundles(peer)


def test_the_adapters_have_the_methods_of_their_ports():
    for port, adapter in (
        (Transport, GrpcTransport),
        (AttachmentTransport, GrpcAttachments),
        (DirectoryService, GrpcDirectory),
        (NoticeService, GrpcDirectory),
    ):
        wanted = {name: inspect.signature(method) for name, method in vars(port).items() if not name.startswith("_")}

        assert wanted == {name: inspect.signature(getattr(adapter, name)) for name in wanted}


@pytest.mark.parametrize(
    ("modules", "service"),
    [
        ((exchange, attachments), exchange_pb2.DESCRIPTOR.services_by_name["Exchange"]),
        ((directory,), directory_pb2.DESCRIPTOR.services_by_name["Directory"]),
        ((enrolment,), directory_pb2.DESCRIPTOR.services_by_name["Enrolment"]),
    ],
)
def test_the_method_tables_are_those_of_the_protobuf_services(modules, service):
    ours = {method.path: method for module in modules for method in vars(module).values() if isinstance(method, Method)}
    theirs = {f"/{service.full_name}/{method.name}": method for method in service.methods}

    assert {path: (method.request.DESCRIPTOR, method.reply.DESCRIPTOR) for path, method in ours.items()} == {
        path: (method.input_type, method.output_type) for path, method in theirs.items()
    }


async def _leaves(count: int) -> list[bytes]:
    return [b"leaf"] * count
