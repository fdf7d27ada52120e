"""A gRPC server for the length of a block.

Limits on everything that a stranger or a peer can send are set here (docs/threat-model.md, pitfall 12). What is served comes in as
routes, what stands around it as interceptors, and how TLS is done as credentials; so one function makes the node's port, the
join port and the desk's. What is not in the routes is refused; there is no reflection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc

from federation.errors import Incompatible, InvalidConfiguration
from node import limits as node_limits
from node.rpc.calls import Call, Interceptor, Routes, Streaming, as_grpc, as_grpc_stream, intercepted

IDENTITY_ONLY: Final = 1
"""gRPC's bit for messages that are not compressed: there is no compression anywhere, so no bomb to unpack."""

_OPTIONS: Final = {
    "grpc.so_reuseport": 0,  # or a second server binds the same port, silently, and takes half the calls
    "grpc.max_allowed_incoming_connections": node_limits.GRPC_CONNECTIONS_MAX,
    "grpc.max_connection_age_grace_ms": node_limits.GRPC_CONNECTION_GRACE_MS,
    "grpc.max_connection_idle_ms": node_limits.GRPC_CONNECTION_IDLE_MS,
    "grpc.max_concurrent_streams": node_limits.GRPC_STREAMS_MAX,
    "grpc.max_receive_message_length": node_limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": node_limits.GRPC_MESSAGE_BYTES_MAX,
    "grpc.max_metadata_size": node_limits.GRPC_METADATA_BYTES_MAX,
    "grpc.absolute_max_metadata_size": node_limits.GRPC_METADATA_BYTES_MAX,
    "grpc.http2.min_ping_interval_without_data_ms": node_limits.GRPC_PING_MS_MIN,
    "grpc.http2.max_ping_strikes": 2,
    "grpc.compression_enabled_algorithms_bitset": IDENTITY_ONLY,
}


class _Table(grpc.GenericRpcHandler):
    """All methods of a server. What is not in it goes through the same interceptors and is refused: knocking costs budget too."""

    def __init__(self, routes: Routes, interceptors: Sequence[Interceptor]) -> None:
        self._handlers = {
            path: (as_grpc_stream if isinstance(handler, Streaming) else as_grpc)(path, intercepted(handler, interceptors))
            for path, handler in routes.items()
        }
        self._refusing = as_grpc("an unknown method", intercepted(_refuse, interceptors))

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler for a path."""
        return self._handlers.get(handler_call_details.method, self._refusing)


@asynccontextmanager
async def serving(
    address: str,
    *,
    credentials: grpc.ServerCredentials,
    routes: Routes,
    interceptors: Sequence[Interceptor],
    handshake_ms: int = node_limits.GRPC_HANDSHAKE_MS,
    connection_age_ms: int = node_limits.GRPC_CONNECTION_AGE_MS,
    reply_bytes_max: int = node_limits.GRPC_MESSAGE_BYTES_MAX,
) -> AsyncIterator[int]:
    """Serve until the block ends; then calls under way may end, for a short time.

    Args:
        address: `host:port` to listen at; port 0 takes a free one.
        credentials: from `ServerTls`.
        routes: handlers by path.
        interceptors: around each of them, the first one outermost.
        handshake_ms: how long a connection may take to become one.
        connection_age_ms: how old it may become; the client makes the next one by itself.
        reply_bytes_max: the largest reply that is sent.

    Yields:
        The port.

    Raises:
        InvalidConfiguration: nobody can listen there, or somebody does already.
    """
    its_own = {
        "grpc.server_handshake_timeout_ms": handshake_ms,
        "grpc.max_connection_age_ms": connection_age_ms,
        "grpc.max_send_message_length": reply_bytes_max,
    }
    server = grpc.aio.server(handlers=[_Table(routes, interceptors)], options=list((_OPTIONS | its_own).items()))
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError as reason:
        raise InvalidConfiguration(
            f"this node cannot listen at {address}", hint="another program listens there, or the address is not this machine's"
        ) from reason
    await server.start()
    try:
        yield port
    finally:
        await server.stop(node_limits.GRPC_STOP_GRACE_S)


async def _refuse(call: Call) -> bytes:
    del call  # the message is never read
    raise Incompatible("this node has no such method", hint="compare the versions of both nodes with `gsp doctor`")
