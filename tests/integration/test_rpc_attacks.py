"""Who gets in, and who does not, over real mTLS on loopback (docs/threat-model.md, pitfalls 1, 2, 5, 6, 10, 12)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
from cryptography import x509

from federation import limits
from federation.errors import FederationError, Forbidden, InvalidConfiguration, Malformed, Overloaded, Unauthentic, Unreachable
from federation.identity import OfficerName
from federation.ports import Peer
from federation.trust import issuing
from federation.trust.certificate import to_pem
from federation.trust.chain import load_certificate, utc_text, window_of
from federation.trust.issuing import Authority
from federation.trust.profile import Profile, node_profile, officer_profile
from federation.v1 import exchange_pb2
from node import limits as node_limits
from node.rpc.calls import Call, Interceptor
from node.rpc.channels import Channels
from node.rpc.exchange import BUNDLES, DELIVER, GrpcTransport
from node.rpc.interceptors import Budget, budgeted, identified, mapped
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls
from node.use_cases.desk_values import Health
from tests.support.pki import forge
from tests.support.rpc import (
    DOMAIN,
    QM,
    QN,
    QO,
    WALL_CLOCK,
    Served,
    SetClock,
    Treaty,
    listening,
    node_name,
    snapshot_of,
)

MESSAGE_BYTES = node_limits.GRPC_MESSAGE_BYTES_MAX


@pytest.fixture
def treaty() -> Treaty:
    return Treaty()


def channels(own: NodeCredential) -> Channels:
    return Channels(own=own, clock=WALL_CLOCK)


async def deliver(served: Served | Peer, own: NodeCredential) -> None:
    """One delivery over a channel of its own."""
    peer = served if isinstance(served, Peer) else served.peer
    async with channels(own) as line:
        await line.call(peer, DELIVER, exchange_pb2.DeliverRequest(envelope=b"envelope"))


def forged(treaty: Treaty, profile: Profile, signer: Authority, **changes: object) -> NodeCredential:
    key = issuing.key_from_seed(os.urandom(32))
    valid = {"not_before": int(treaty.now) - 60, "not_after": int(treaty.now) + 3_600}
    certificate = forge(profile, signer, public_key=key.public_key(), **(valid | changes))
    return NodeCredential(private_key=issuing.key_to_pem(key), certificate=certificate)


@asynccontextmanager
async def raw_channel(
    treaty: Treaty, served: Served, *, options: tuple[tuple[str, int], ...] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of Party qn without any of our care on the client's side."""
    own = treaty.credential(node_name(QN))
    credentials = grpc.ssl_channel_credentials(to_pem(served.peer.anchors[0]), own.private_key, to_pem(own.certificate))
    name = ("grpc.ssl_target_name_override", served.peer.name.dns)
    async with grpc.aio.secure_channel(served.peer.endpoint, credentials, options=[name, *options]) as channel:
        yield channel


async def status_of(call) -> tuple[grpc.StatusCode, dict[str, object]]:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value.code(), dict(failure.value.trailing_metadata())


async def test_a_second_ca_of_a_party_under_the_real_root_gets_no_client_in(treaty):
    rogue = treaty.credential(node_name(QN), ca=treaty.new_ca(QN))
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable, match="ends each connection"):
            await deliver(served, rogue)

    assert not served.exchange.deliveries


async def test_a_second_ca_of_a_party_under_the_real_root_makes_no_server_believed(treaty):
    rogue = treaty.credential(node_name(QM), ca=treaty.new_ca(QM))
    async with listening(treaty, node_name(QM), credential=rogue) as served:
        with pytest.raises(Unreachable, match="CA that the directory pins"):
            await deliver(served, treaty.credential(node_name(QN)))

    assert not served.exchange.deliveries


async def test_a_certificate_straight_from_the_issuing_ca_gets_nobody_in(treaty):
    credential = forged(treaty, node_profile(node_name(QN)), treaty.issuing_ca)
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable):
            await deliver(served, credential)


async def test_a_party_cannot_call_in_the_name_of_another(treaty):
    stolen_name = forged(treaty, node_profile(node_name(QM)), treaty.ca(QN))
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable):
            await deliver(served, stolen_name)

    assert not served.exchange.deliveries


async def test_a_party_cannot_name_another_in_the_uri_alone(treaty):
    mixed = replace(node_profile(node_name(QN)), own=())
    names = x509.SubjectAlternativeName([x509.DNSName(node_name(QN).dns), x509.UniformResourceIdentifier(node_name(QM).uri)])
    own = [pair for pair in node_profile(node_name(QN)).own if not isinstance(pair[0], x509.SubjectAlternativeName)]
    credential = forged(treaty, replace(mixed, own=(*own, (names, True))), treaty.ca(QN))
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unauthentic):
            await deliver(served, credential)

    assert not served.exchange.deliveries


async def test_a_party_cannot_answer_at_the_address_of_another(treaty):
    async with listening(treaty, node_name(QN)) as served:
        as_directory_says = replace(served.peer, name=node_name(QM), anchors=(treaty.ca(QM).certificate,))
        with pytest.raises(Unreachable, match="CA that the directory pins"):
            await deliver(as_directory_says, treaty.credential(node_name(QN)))


async def test_a_node_cannot_answer_for_another_node_of_its_party(treaty):
    async with listening(treaty, node_name(QM, "one")) as served:
        with pytest.raises(Unreachable, match="names another node"):
            await deliver(replace(served.peer, name=node_name(QM, "two")), treaty.credential(node_name(QN)))


async def test_nobody_gets_in_without_a_certificate(treaty):
    async with listening(treaty, node_name(QM)) as served:
        credentials = grpc.ssl_channel_credentials(to_pem(served.peer.anchors[0]))
        name = ("grpc.ssl_target_name_override", served.peer.name.dns)
        async with grpc.aio.secure_channel(served.peer.endpoint, credentials, options=[name]) as channel:
            number, _ = await status_of(channel.unary_unary(BUNDLES.path)(b""))

    assert number is grpc.StatusCode.UNAVAILABLE


async def test_an_officer_certificate_is_no_tls_client(treaty):
    officer = OfficerName(party=QN, officer_id="k3v9x2mq", domain=DOMAIN)
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable):
            await deliver(served, forged(treaty, officer_profile(officer), treaty.ca(QN)))


async def test_a_certificate_without_a_stated_use_is_refused_though_grpc_takes_it(treaty):
    credential = forged(treaty, node_profile(node_name(QN)), treaty.ca(QN), without=(x509.ExtendedKeyUsage,))
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unauthentic):
            await deliver(served, credential)

    assert not served.exchange.deliveries


async def test_an_expired_certificate_gets_nobody_in(treaty):
    expired = treaty.credential(node_name(QN), age_s=limits.NODE_CERTIFICATE_LIFE_S + 60)
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable, match="ends each connection") as refusal:
            await deliver(served, expired)

    assert "this node's clock says" in refusal.value.hint


async def test_the_expired_certificate_of_a_server_is_named_with_our_clock(treaty):
    expired = treaty.credential(node_name(QM), age_s=limits.NODE_CERTIFICATE_LIFE_S + 60)
    async with listening(treaty, node_name(QM), credential=expired) as served:
        with pytest.raises(Unreachable, match="has expired") as refusal:
            await deliver(served, treaty.credential(node_name(QN)))

    assert "this node's clock says" in refusal.value.hint
    assert "the certificate there is valid from" in refusal.value.hint


async def test_a_node_certificate_expired_by_one_second_gets_nobody_in(treaty):
    expired = treaty.credential(node_name(QN), age_s=limits.NODE_CERTIFICATE_LIFE_S + 1)
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(Unreachable):
            await deliver(served, expired)

    assert not served.exchange.deliveries


async def test_a_connection_ends_one_second_after_its_certificate(treaty):
    clock, own = SetClock(treaty.now), treaty.credential(node_name(QN))
    async with listening(treaty, node_name(QM), clock=clock) as served, channels(own) as line:
        await GrpcTransport(line).bundles(served.peer)
        clock.at = window_of(load_certificate(own.certificate)).not_after
        await GrpcTransport(line).bundles(served.peer)
        clock.at += 1

        with pytest.raises(Unauthentic, match="valid from"):
            await GrpcTransport(line).bundles(served.peer)


async def test_a_certificate_from_two_hours_ahead_is_refused_and_both_clocks_are_shown(treaty):
    ahead = treaty.credential(node_name(QM), age_s=-2 * limits.CERTIFICATE_BACKDATE_S)
    async with listening(treaty, node_name(QM), credential=ahead) as served:
        with pytest.raises(Unreachable, match="not valid yet") as refusal:
            await deliver(served, treaty.credential(node_name(QN)))

    assert "this node's clock says" in refusal.value.hint
    assert f"is valid from {utc_text(int(treaty.now) + limits.CERTIFICATE_BACKDATE_S)}" in refusal.value.hint


async def test_a_clock_that_is_ten_minutes_off_is_shown_beside_ours_and_stops_no_connection(treaty):
    clock = SetClock(treaty.now + 600)
    async with listening(treaty, node_name(QM), clock=clock) as served, channels(treaty.credential(node_name(QN))) as line:
        await GrpcTransport(line).bundles(served.peer)
        check = line.clocks.check()

    assert check.health is Health.WARNING
    assert f"{node_name(QM).dns} said {utc_text(clock.at)} when it was" in check.words


async def test_the_clock_is_told_behind_a_refusal_too(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        _, trailing = await status_of(channel.unary_unary("/federation.v1.Exchange/Nothing")(b""))

    assert abs(int.from_bytes(trailing["gsp-time-bin"]) / 1_000 - treaty.now) < 600


async def test_a_certificate_that_expires_during_a_connection_ends_it_at_the_next_call(treaty):
    clock = SetClock(treaty.now)
    async with listening(treaty, node_name(QM), clock=clock) as served, channels(treaty.credential(node_name(QN))) as line:
        await GrpcTransport(line).bundles(served.peer)
        clock.at += limits.NODE_CERTIFICATE_LIFE_S + 60

        with pytest.raises(Unauthentic, match="valid from"):
            await GrpcTransport(line).bundles(served.peer)


async def test_trust_that_is_removed_ends_at_the_next_call_of_a_live_connection(treaty):
    own = treaty.credential(node_name(QM))
    async with listening(treaty, node_name(QM), credential=own) as served, channels(treaty.credential(node_name(QN))) as line:
        await GrpcTransport(line).bundles(served.peer)
        served.tls.update(snapshot_of(treaty, own, (QM, QO)))

        with pytest.raises(Unauthentic, match="pins no CA"):
            await GrpcTransport(line).bundles(served.peer)


async def test_trust_that_is_removed_lets_no_new_connection_in(treaty):
    own = treaty.credential(node_name(QM))
    async with listening(treaty, node_name(QM), credential=own) as served:
        await deliver(served, treaty.credential(node_name(QN)))
        served.tls.update(snapshot_of(treaty, own, (QM, QO)))

        with pytest.raises(Unreachable):
            await deliver(served, treaty.credential(node_name(QN)))
        await deliver(served, treaty.credential(node_name(QO)))


async def test_the_secretariat_is_known_by_its_own_anchor(treaty):
    async with listening(treaty, node_name(QM), trusted=(QM, None)) as served:
        await deliver(served, treaty.credential(node_name(None)))

        assert served.exchange.deliveries == [(node_name(None), b"envelope")]
        with pytest.raises(Unreachable):
            await deliver(served, treaty.credential(node_name(QN)))


async def test_a_node_that_trusts_nobody_lets_nobody_in(treaty):
    async with listening(treaty, node_name(QM), trusted=()) as served:
        with pytest.raises(Unreachable):
            await deliver(served, treaty.credential(node_name(QN)))


async def test_a_request_that_is_too_large_is_refused_by_the_server(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        number, _ = await status_of(channel.unary_unary(DELIVER.path)(bytes(MESSAGE_BYTES + 1)))

    assert number is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not served.exchange.deliveries


async def test_a_reply_that_is_too_large_is_not_sent(treaty):
    unlimited = (("grpc.max_receive_message_length", -1),)
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served, options=unlimited) as channel:
        served.exchange.known = (bytes(MESSAGE_BYTES),)
        number, _ = await status_of(channel.unary_unary(BUNDLES.path)(b""))

    assert number is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_request_that_is_too_large_does_not_leave_the_client(treaty):
    async with listening(treaty, node_name(QM)) as served, channels(treaty.credential(node_name(QN))) as line:
        with pytest.raises(Malformed, match="larger"):
            await line.call(served.peer, DELIVER, exchange_pb2.DeliverRequest(envelope=bytes(MESSAGE_BYTES)))


async def test_a_compressed_message_is_refused(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        call = channel.unary_unary(DELIVER.path)
        number, _ = await status_of(call(bytes(1_000), compression=grpc.Compression.Gzip))

    assert number is grpc.StatusCode.UNIMPLEMENTED


async def test_metadata_beyond_the_limit_is_refused(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        metadata = (("filler", "x" * (node_limits.GRPC_METADATA_BYTES_MAX + 1)),)
        number, _ = await status_of(channel.unary_unary(BUNDLES.path)(b"", metadata=metadata))

    assert number is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "request_bytes",
    [
        exchange_pb2.DeliverRequest(envelope=b"envelope").SerializeToString() + b"\x4a\x01x",
        b"\x0a\x01a\x0a\x01b",
        b"\x0a\x81\x00a",
        b"\xff",
    ],
    ids=["unknown field", "field given twice", "over-long varint", "no protobuf"],
)
async def test_a_request_in_any_but_its_one_encoding_is_refused(treaty, request_bytes):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        number, trailing = await status_of(channel.unary_unary(DELIVER.path)(request_bytes))

    assert (number, trailing["gsp-code"]) == (grpc.StatusCode.INVALID_ARGUMENT, "malformed")
    assert not served.exchange.deliveries


@pytest.mark.parametrize(
    "path",
    ["/federation.v1.Exchange/Erase", "/federation.v1.Enrolment/Enrol", "/grpc.reflection.v1alpha.ServerReflection/Info", "/"],
)
async def test_a_method_that_is_not_served_is_refused(treaty, path):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        number, trailing = await status_of(channel.unary_unary(path)(b""))

    assert (number, trailing["gsp-code"]) == (grpc.StatusCode.UNIMPLEMENTED, "incompatible")


async def test_a_call_without_a_message_is_refused(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        call = channel.stream_unary(DELIVER.path)()
        await call.done_writing()
        number, trailing = await status_of(call)

    assert (number, trailing["gsp-code"]) == (grpc.StatusCode.INVALID_ARGUMENT, "malformed")


async def test_one_party_over_its_budget_does_not_use_up_anothers(treaty):
    budget = Budget(per_s=1, burst=5, keys_max=10, timer=lambda: 0.0)

    def small_budget(tls: ServerTls) -> tuple[Interceptor, ...]:
        return mapped, identified(tls, WALL_CLOCK, lambda _sender: None), budgeted(budget, lambda call: call.sender.party)

    async with (
        listening(treaty, node_name(QM), trusted=(QN, QO), chain=small_budget) as served,
        channels(treaty.credential(node_name(QN, "one"))) as one,
        channels(treaty.credential(node_name(QN, "two"))) as two,
        channels(treaty.credential(node_name(QO))) as other,
    ):
        flood = [GrpcTransport(line).bundles(served.peer) for line in (one, two) for _ in range(5)]
        outcomes = await asyncio.gather(*flood, return_exceptions=True)

        assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 5
        assert await GrpcTransport(other).bundles(served.peer) == served.exchange.known


async def test_a_connection_that_never_becomes_one_is_closed(treaty):
    async with listening(treaty, node_name(QM), handshake_ms=100) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)

        assert await reader.read() == b""
        writer.close()


async def test_a_port_is_not_bound_twice(treaty):
    async with listening(treaty, node_name(QM)) as served:
        with pytest.raises(InvalidConfiguration, match="cannot listen"):
            async with serving(f"127.0.0.1:{served.port}", credentials=served.tls.node_credentials(), routes={}, interceptors=()):
                pass


def every_error(error: type[FederationError] = FederationError) -> list[type[FederationError]]:
    return [error, *(below for child in error.__subclasses__() for below in every_error(child))]


async def test_every_error_of_a_handler_arrives_as_it_was_raised(treaty):
    async with listening(treaty, node_name(QM)) as served, channels(treaty.credential(node_name(QN))) as line:
        for error in every_error():
            served.exchange.failure = error(f"this is {error.__name__} — é", hint="do this first — é")
            with pytest.raises(FederationError) as raised:
                await line.call(served.peer, DELIVER, exchange_pb2.DeliverRequest())

            came = raised.value
            assert (type(came), came.message, came.hint) == (error, f"this is {error.__name__} — é", "do this first — é")


async def test_an_exception_of_a_handler_shows_nothing_of_itself(treaty):
    async with listening(treaty, node_name(QM)) as served, raw_channel(treaty, served) as channel:
        served.exchange.failure = ValueError("the secret")
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await channel.unary_unary(DELIVER.path)(b"")

    assert failure.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in repr(failure.value)
    assert "ValueError" not in repr(failure.value)


async def test_an_interceptor_of_the_desk_sees_metadata_and_the_bytes_that_were_signed(treaty):
    seen: list[tuple[bytes, bytes]] = []

    def authenticated(handler):
        async def handle(call: Call) -> bytes:
            seen.append((call.metadata()["gsp-signature-bin"], await call.request()))
            raise Forbidden("no such officer")

        return handle

    async with (
        listening(treaty, node_name(QM), chain=lambda _: (mapped, authenticated)) as served,
        raw_channel(treaty, served) as channel,
    ):
        call = channel.unary_unary(DELIVER.path)(b"\x0a\x01x", metadata=(("gsp-signature-bin", b"\x00\xff"),))
        number, trailing = await status_of(call)

    assert seen == [(b"\x00\xff", b"\x0a\x01x")]
    assert (number, trailing["gsp-code"]) == (grpc.StatusCode.PERMISSION_DENIED, "forbidden")
