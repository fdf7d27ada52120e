"""One entry of a desk's routing table: the officer's signature is over the bytes that came, so it is checked before they are parsed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from federation import limits
from federation.wire import strict
from node.rpc.calls import Call, Handler, Method, Reply, Request
from node.rpc.officer import CHALLENGE_KEY, CREDENTIAL_KEY, Caller, OfficerGate


def admitted(
    gate: OfficerGate, method: Method[Request, Reply], serve: Callable[[Caller, Request], Awaitable[Reply]]
) -> tuple[str, Handler]:
    """Let an officer in, parse, serve, and give the next challenge with the reply."""

    async def handle(call: Call) -> bytes:
        message = await call.request()
        caller = gate.admit(method=method.path, request=message, credential=call.metadata().get(CREDENTIAL_KEY))
        reply = await serve(caller, strict.parse(method.request, message, bytes_max=limits.GRPC_MESSAGE_BYTES_MAX))
        call.attach(CHALLENGE_KEY, gate.challenge())
        return strict.encode(reply)

    return method.path, handle
