"""The floor of the transport: one unary echo over mutual TLS with gRPC and nothing else, server and client in two processes.

What the node's calls cost is reported as a ratio to this, measured in the same run on the same machine; see `__main__`.
`python -m benchmarks.echo` prints the floor alone.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

MESSAGE = bytes(1_024)
WARM_UP_CALLS = 200
HOST = "echo.example"
PATH = "/benchmarks.Echo/Echo"
STREAM_PATH = "/benchmarks.Echo/Stream"
CHUNK = bytes(262_144)

Call = Callable[[], Awaitable[object]]


async def floor_one_at_a_time(calls: int) -> list[float]:
    """Seconds that each of so many calls took, one after the other."""
    async with echoing() as call:
        return await one_at_a_time(call, calls)


async def floor_in_flight(calls: int, in_flight: int = 64) -> float:
    """Calls a second, with so many of them under way at any time."""
    async with echoing() as call:
        return await in_flight_rate(call, calls, in_flight)


async def floor_stream(size: int, rounds: int = 5) -> list[float]:
    """Seconds that a stream of so many bytes took, each time, in the pieces in which nodes send files."""
    times = []
    async with _connected() as channel:
        stream: Any = channel.unary_stream(STREAM_PATH)
        for _ in range(rounds):
            start, came = time.perf_counter(), 0
            async for piece in stream(size.to_bytes(8), timeout=20):
                came += len(piece)
            assert came == size
            times.append(time.perf_counter() - start)
    return times


async def one_at_a_time(call: Call, calls: int) -> list[float]:
    """Seconds that each call took, after some that do not count."""
    for _ in range(WARM_UP_CALLS):
        await call()
    latencies = []
    for _ in range(calls):
        start = time.perf_counter()
        await call()
        latencies.append(time.perf_counter() - start)
    return latencies


async def in_flight_rate(call: Call, calls: int, in_flight: int) -> float:
    """Calls a second, after some that do not count."""

    async def work(share: int) -> None:
        for _ in range(share):
            await call()

    async def spread(total: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(in_flight):
                tasks.create_task(work(-(-total // in_flight)))

    await spread(WARM_UP_CALLS)
    start = time.perf_counter()
    await spread(calls)
    return -(-calls // in_flight) * in_flight / (time.perf_counter() - start)


@asynccontextmanager
async def echoing() -> AsyncIterator[Call]:
    """An echo server in a process of its own, and a call to it."""
    async with _connected() as channel:
        echo: Any = channel.unary_unary(PATH)
        yield lambda: echo(MESSAGE, timeout=20)


@asynccontextmanager
async def _connected() -> AsyncIterator[grpc.aio.Channel]:
    certificate, key = _self_signed()
    server, port = await asyncio.to_thread(_start, json.dumps({"certificate": certificate.decode(), "key": key.decode()}))
    try:
        credentials = grpc.ssl_channel_credentials(certificate, key, certificate)
        name = ("grpc.ssl_target_name_override", HOST)
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=[name]) as channel:
            yield channel
    finally:
        server.communicate()  # closing its input ends it


def _start(keys: str) -> tuple[subprocess.Popen[str], int]:
    """Start the server, give it its keys, and learn its port."""
    command = [sys.executable, "-m", "benchmarks.echo", "--serve"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    print(keys, file=server.stdin, flush=True)
    return server, int(server.stdout.readline())


async def _serve() -> None:
    keys = {name: text.encode() for name, text in json.loads(sys.stdin.readline()).items()}
    server = grpc.aio.server(handlers=[_Echo()], options=[("grpc.so_reuseport", 0)])
    pair = (keys["key"], keys["certificate"])
    credentials = grpc.ssl_server_credentials([pair], keys["certificate"], require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


class _Echo(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            PATH: grpc.unary_unary_rpc_method_handler(_echo),
            STREAM_PATH: grpc.unary_stream_rpc_method_handler(_stream),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self._handlers.get(handler_call_details.method)


async def _echo(request: bytes, _context: object) -> bytes:
    return request


async def _stream(request: bytes, _context: object) -> AsyncIterator[bytes]:
    left = int.from_bytes(request)
    while left > 0:
        yield CHUNK[:left]
        left -= len(CHUNK)


def _self_signed() -> tuple[bytes, bytes]:
    """A P-256 certificate that both ends show and both trust, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(tz=UTC)
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


async def _report() -> None:
    latencies = await floor_one_at_a_time(2_000)
    rate = await floor_in_flight(6_400)
    print(f"mTLS echo, one at a time: median {statistics.median(latencies) * 1e3:.2f} ms")
    print(f"mTLS echo, 64 in flight: {rate:.0f} calls/s")


if __name__ == "__main__":
    asyncio.run(_serve() if "--serve" in sys.argv else _report())
