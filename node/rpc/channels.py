"""One channel for each peer, made when it is first used, and the one way in which a client calls.

gRPC's client certificates are fixed for the life of a channel, so renewal means new channels: calls that have begun end on the
old one, which the last of them closes. Every call has a deadline, and ends in a reply or in one of our errors. Whoever calls
repeats; gRPC itself repeats only what the peer says that it never looked at, as when a connection has just grown too old.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Self

import grpc

from federation import limits
from federation.errors import FederationError, InvalidInput, Unreachable
from federation.ports import Clock, Peer
from federation.trust.chain import load_certificate, utc_text, window_of
from federation.trust.code_text import check_address
from federation.wire import strict
from node import limits as node_limits
from node.rpc.calls import TIME_KEY, Method, Reply, Request
from node.rpc.diagnosis import may_be_the_clock
from node.rpc.errors import from_status, status_of
from node.rpc.introduction import introduction, read_introduction
from node.rpc.peek import fetch_certificate
from node.rpc.server import IDENTITY_ONLY
from node.rpc.tls import NodeCredential, channel_credentials
from node.use_cases.peer_book import Introduction, PeerBook
from node.use_cases.peer_clocks import Heard, PeerClocks

_TIME_BYTES: Final = 8
_OPTIONS: Final = {
    "grpc.use_local_subchannel_pool": 1,  # channels never share a connection: each has its own certificates
    "grpc.enable_http_proxy": 0,  # an environment variable does not decide where envelopes go
    "grpc.service_config_disable_resolution": 1,  # nor does a name server decide how
    "grpc.max_receive_message_length": node_limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": node_limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_metadata_size": node_limits.GRPC_METADATA_BYTES_MAX,
    "grpc.absolute_max_metadata_size": node_limits.GRPC_METADATA_BYTES_MAX,
    "grpc.compression_enabled_algorithms_bitset": IDENTITY_ONLY,
    "grpc.keepalive_time_ms": node_limits.GRPC_KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": node_limits.GRPC_KEEPALIVE_TIMEOUT_MS,
    "grpc.initial_reconnect_backoff_ms": node_limits.GRPC_RECONNECT_MS_MIN,
    "grpc.min_reconnect_backoff_ms": node_limits.GRPC_RECONNECT_MS_MAX,
    "grpc.max_reconnect_backoff_ms": node_limits.GRPC_RECONNECT_MS_MAX,
}


class Line:
    """One channel, and how many calls are on it.

    Args:
        endpoint: `host:port`.
        server_name: the DNS name that the server's certificate has to have.
        anchor: DER of the only certificate that may verify the server's, or of the server's own.
        own: what we show; None where nobody asks for it.
        reply_bytes_max: the largest reply that is taken.

    Raises:
        InvalidInput: the endpoint is no address. It came from somebody's directory entry, and must not choose gRPC's resolver.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        server_name: str,
        anchors: Sequence[bytes],
        own: NodeCredential | None,
        reply_bytes_max: int = node_limits.GRPC_MESSAGE_BYTES_MAX,
    ) -> None:
        self._endpoint = endpoint
        its_own = {"grpc.ssl_target_name_override": server_name, "grpc.max_receive_message_length": reply_bytes_max}
        self._channel = grpc.aio.secure_channel(
            f"dns:///{check_address(endpoint)}",
            channel_credentials(anchors=anchors, own=own),
            options=list((_OPTIONS | its_own).items()),
        )
        self._calls: dict[str, grpc.aio.UnaryUnaryMultiCallable[Any, Any]] = {}
        self._under_way = 0
        self._retired = False

    async def call(
        self,
        method: Method[Request, Reply],
        request: Request,
        *,
        clock: Clock,
        hear: Callable[[Heard], None] = lambda _clocks: None,
        meet: Callable[[Introduction, float | None], None] = lambda _introduction, _offset_s: None,
        version: str = "",
    ) -> Reply:
        """Make one call; `hear` is told of the other end's clock, and `meet` what it says of itself, behind a refusal too.

        Raises:
            FederationError: what the other end raised; Unreachable when it did not answer; Malformed for a reply that is not
                strict.
        """
        asked = clock.now()

        def behind(trailing: Mapping[str, str | bytes]) -> None:
            told, heard = trailing.get(TIME_KEY), None
            if isinstance(told, bytes) and len(told) == _TIME_BYTES:
                heard = Heard(told=min(int.from_bytes(told) / 1_000, limits.TIME_S_MAX), asked=asked, heard=clock.now())
                hear(heard)
            meet(read_introduction(trailing), heard.offset_s if heard is not None else None)

        reply, trailing = await self.exchange(
            method.path, strict.encode(request), metadata=introduction(version), clock=clock, refused=behind
        )
        behind(trailing)
        return strict.parse(method.reply, reply, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)

    async def exchange(
        self,
        path: str,
        message: bytes,
        *,
        metadata: Sequence[tuple[str, bytes]] = (),
        clock: Clock,
        refused: Callable[[Mapping[str, str | bytes]], None] = lambda _trailing: None,
    ) -> tuple[bytes, Mapping[str, str | bytes]]:
        """Make one call with bytes and metadata; give the bytes of the reply and the metadata behind it. `refused` is told of the
        metadata behind a refusal.

        Raises:
            FederationError: what the other end raised; Unreachable when it did not answer.
        """
        self._under_way += 1
        try:
            under_way = self._callable(path)(message, metadata=tuple(metadata), timeout=limits.RPC_TIMEOUT_S)
            return await under_way, dict(await under_way.trailing_metadata())
        except grpc.aio.AioRpcError as failure:
            refused(dict(failure.trailing_metadata() or ()))
            raise await self._explained(failure, now=clock.now()) from failure
        except (grpc.aio.UsageError, asyncio.CancelledError):
            if _is_cancelled():
                raise
            raise Unreachable("the connection was closed by this node") from None
        finally:
            self._under_way -= 1
            await self._close_when_unused()

    async def stream(
        self, path: str, message: bytes, *, metadata: Sequence[tuple[str, bytes]] = (), clock: Clock
    ) -> AsyncGenerator[bytes, None]:
        """Make one call whose reply is a stream; give its messages as they come. Whoever stops reading ends it.

        Raises:
            FederationError: as `exchange`, also after some messages.
        """
        self._under_way += 1
        streaming: grpc.aio.UnaryStreamMultiCallable[Any, Any] = self._channel.unary_stream(path)
        under_way = streaming(message, metadata=tuple(metadata), timeout=limits.RPC_TIMEOUT_S)
        try:
            async for piece in under_way:
                yield piece
        except grpc.aio.AioRpcError as failure:
            raise await self._explained(failure, now=clock.now()) from failure
        except (grpc.aio.UsageError, asyncio.CancelledError):
            if _is_cancelled():
                raise
            raise Unreachable("the connection was closed by this node") from None
        finally:
            under_way.cancel()
            self._under_way -= 1
            await self._close_when_unused()

    async def _explained(self, failure: grpc.aio.AioRpcError, *, now: float) -> FederationError:
        """The error; with the time of the other end where clocks may be the reason: its certificate says when it was made."""
        error = from_status(status_of(failure), now=now)
        if not isinstance(error, Unreachable) or not may_be_the_clock(failure.details() or ""):
            return error
        try:
            window = window_of(load_certificate(await fetch_certificate(self._endpoint)))
        except FederationError:
            return error
        valid = f"the certificate there is valid from {utc_text(window.not_before)} to {utc_text(window.not_after)}"
        return Unreachable(error.message, hint=f"{error.hint}; {valid}")

    @property
    def is_broken(self) -> bool:
        """Whether gRPC has no connection, and fails each call at once until its own pause is over."""
        return self._channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def retire(self) -> None:
        """Take no further calls; close when those under way have ended, which their deadlines make sure of."""
        self._retired = True
        await self._close_when_unused()

    async def close(self) -> None:
        """Close now; calls under way end as Unreachable."""
        await self._channel.close()

    async def _close_when_unused(self) -> None:
        if self._retired and self._under_way == 0:
            await self._channel.close()

    def _callable(self, path: str) -> grpc.aio.UnaryUnaryMultiCallable[Any, Any]:
        """Messages go as bytes, because they are encoded and read strictly."""
        if path not in self._calls:
            self._calls[path] = self._channel.unary_unary(path)
        return self._calls[path]


class Channels:
    """The channels of one node to its peers, for the length of a block.

    Args:
        own: the certificate that peers get to see.
        clock: shown in errors where a wrong clock can be the reason.
        version: of this program; peers get to hear it.
        channels_max: the oldest makes room for one more.
    """

    def __init__(
        self, *, own: NodeCredential, clock: Clock, version: str = "", channels_max: int = node_limits.CHANNELS_MAX
    ) -> None:
        self._own = own
        self._clock = clock
        self._version = version
        self.clocks = PeerClocks()
        self.book = PeerBook()
        self._channels_max = channels_max
        self._lines: dict[Peer, Line] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.close()

    async def call(self, peer: Peer, method: Method[Request, Reply], request: Request) -> Reply:
        """Make one call to a peer.

        Raises:
            FederationError: what the peer raised; Unreachable when it did not answer; Malformed for a reply that is not strict.
        """
        line = self._lines.get(peer)
        if line is None:
            line = await self._open(peer)
        try:
            with self.book.watching(peer.name.party, self._clock) as meet:
                return await line.call(
                    method,
                    request,
                    clock=self._clock,
                    hear=lambda clocks: self.clocks.hear(peer.name, clocks),
                    meet=meet,
                    version=self._version,
                )
        except Unreachable:
            await self._give_up_broken(peer, line)
            raise

    async def stream(self, peer: Peer, method: Method[Request, Reply], request: Request) -> AsyncGenerator[Reply, None]:
        """Make one call whose reply is a stream.

        Raises:
            FederationError: as `call`, also after some messages.
        """
        line = self._lines.get(peer)
        if line is None:
            line = await self._open(peer)
        try:
            async with aclosing(line.stream(method.path, strict.encode(request), clock=self._clock)) as pieces:
                async for piece in pieces:
                    yield strict.parse(method.reply, piece, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        except Unreachable:
            await self._give_up_broken(peer, line)
            raise

    async def renew(self, own: NodeCredential) -> None:
        """Show another certificate from now on."""
        self._own = own
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.retire()

    async def _give_up_broken(self, peer: Peer, line: Line) -> None:
        """The next call connects anew: when to try again is for the outbox to say, which knows that a peer has just been in touch."""
        if line.is_broken and self._lines.get(peer) is line:
            del self._lines[peer]
            await line.retire()

    async def _open(self, peer: Peer) -> Line:
        """A new channel; an older one to that node is at another address or has another anchor, and takes no further calls."""
        try:
            line = Line(endpoint=peer.endpoint, server_name=peer.name.dns, anchors=peer.anchors, own=self._own)
        except InvalidInput as reason:
            raise Unreachable("the address of the other node cannot be one", hint="its Party has to change its entry") from reason
        outdated = [known for known in self._lines if known.name == peer.name]
        oldest = next(iter(self._lines), None)
        if oldest is not None and len(self._lines) >= self._channels_max and not outdated:
            outdated = [oldest]
        retired = [self._lines.pop(known) for known in outdated]
        self._lines[peer] = line
        for old in retired:
            await old.retire()
        return line


def _is_cancelled() -> bool:
    """Whether somebody cancelled this task; gRPC raises the same when a channel is closed below a call."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
