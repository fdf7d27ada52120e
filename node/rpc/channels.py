"""One channel for each peer, made when it is first used, and the one way in which a client calls.

gRPC's client certificates are fixed for the life of a channel, so renewal means new channels: calls that have begun end on the old one,
which the last of them closes. Nothing is repeated here; the outbox repeats. Every call has a deadline, and ends in a reply
or in one of our errors.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import grpc

from federation import limits
from federation.errors import Unreachable
from federation.identity import NodeName
from federation.ports import Clock, Peer
from federation.trust.join_code import check_address
from federation.wire import strict
from node.rpc.calls import Method, Reply, Request
from node.rpc.errors import from_status, status_of
from node.rpc.server import IDENTITY_ONLY
from node.rpc.tls import NodeCredential, channel_credentials

_OPTIONS: Final = {
    "grpc.use_local_subchannel_pool": 1,  # channels never share a connection: each has its own certificates
    "grpc.enable_http_proxy": 0,  # an environment variable does not decide where envelopes go
    "grpc.service_config_disable_resolution": 1,  # nor does a name server decide how
    "grpc.enable_retries": 0,
    "grpc.max_receive_message_length": limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_metadata_size": limits.GRPC_METADATA_BYTES_MAX,
    "grpc.absolute_max_metadata_size": limits.GRPC_METADATA_BYTES_MAX,
    "grpc.compression_enabled_algorithms_bitset": IDENTITY_ONLY,
    "grpc.keepalive_time_ms": limits.GRPC_KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": limits.GRPC_KEEPALIVE_TIMEOUT_MS,
    "grpc.initial_reconnect_backoff_ms": limits.GRPC_RECONNECT_MS_MIN,
    "grpc.min_reconnect_backoff_ms": limits.GRPC_RECONNECT_MS_MAX,
    "grpc.max_reconnect_backoff_ms": limits.GRPC_RECONNECT_MS_MAX,
}


class Line:
    """One channel, and how many calls are on it.

    Args:
        endpoint: `host:port`.
        server_name: the DNS name that the server's certificate has to have.
        anchor: DER of the only certificate that may verify the server's, or of the server's own.
        own: what we show; None where nobody asks for it.

    Raises:
        InvalidInput: the endpoint is no address. It came from somebody's directory entry, and must not choose gRPC's resolver.
    """

    def __init__(self, *, endpoint: str, server_name: str, anchor: bytes, own: NodeCredential | None) -> None:
        self._channel = grpc.aio.secure_channel(
            f"dns:///{check_address(endpoint)}",
            channel_credentials(anchor=anchor, own=own),
            options=[*_OPTIONS.items(), ("grpc.ssl_target_name_override", server_name)],
        )
        self._calls: dict[str, grpc.aio.UnaryUnaryMultiCallable[Any, Any]] = {}
        self._under_way = 0
        self._retired = False

    async def call(self, method: Method[Request, Reply], request: Request, *, clock: Clock) -> Reply:
        """Make one call.

        Raises:
            FederationError: what the other end raised; Unreachable when it did not answer; Malformed for a reply that is not strict.
        """
        self._under_way += 1
        try:
            reply = await self._callable(method.path)(strict.encode(request), timeout=limits.RPC_TIMEOUT_S)
        except grpc.aio.AioRpcError as failure:
            raise from_status(status_of(failure), now=clock.now()) from failure
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise Unreachable("the connection was closed by this node") from None
        finally:
            self._under_way -= 1
            await self._close_when_unused()
        return strict.parse(method.reply, reply, bytes_max=limits.GRPC_MESSAGE_BYTES_MAX)

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
