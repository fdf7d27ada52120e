"""Each interceptor around a handler, without a network."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import grpc
import pytest

from federation.errors import Malformed, Misuse, NotFound, Overloaded
from node.rpc.calls import Call, intercepted
from node.rpc.errors import CODE_KEY
from node.rpc.interceptors import Budget, budgeted, logged, mapped, timed
from tests.support.rpc import QM, node_name


class Context:
    """The part of gRPC's servicer context that calls use."""

    def __init__(self, message: object = b"request", metadata: tuple[tuple[str, str | bytes], ...] = ()) -> None:
        self.message = message
        self.reads = 0
        self.aborted: tuple[grpc.StatusCode, str, dict[str, str | bytes]] | None = None
        self._metadata = metadata

    async def read(self) -> object:
        self.reads += 1
        return self.message

    def peer(self) -> str:
        return "ipv6:[::1]:4711"

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    async def abort(self, number: grpc.StatusCode, details: str, trailing: tuple[tuple[str, str | bytes], ...]) -> None:
        self.aborted = (number, details, dict(trailing))
        raise grpc.aio.AbortError


def raising(error: BaseException):
    async def handle(call: Call) -> bytes:
        raise error

    return handle


async def echo(call: Call) -> bytes:
    return await call.request()


async def refused(handler, context: Context | None = None):
    """What a caller gets to see of a call that is refused."""
    context = context or Context()
    with pytest.raises(grpc.aio.AbortError):
        await handler(Call("/test", context))
    return context.aborted


async def test_an_error_becomes_its_status():
    number, details, trailing = await refused(mapped(raising(NotFound("no such thing"))))

    assert (number, details, trailing[CODE_KEY]) == (grpc.StatusCode.NOT_FOUND, "no such thing", "not-found")


async def test_an_exception_of_a_handler_tells_the_caller_nothing_and_the_log_its_place(caplog):
    number, details, trailing = await refused(mapped(raising(ValueError("the secret"))))

    assert number is grpc.StatusCode.INTERNAL
    assert not trailing
    assert "ValueError" in caplog.text
    assert __file__ in caplog.text
    assert "the secret" not in details + caplog.text


async def test_a_defect_of_ours_is_logged_and_told(caplog):
    number, _, trailing = await refused(mapped(raising(Misuse("called twice"))))

    assert (number, trailing[CODE_KEY]) == (grpc.StatusCode.INTERNAL, "misuse")
    assert "Misuse" in caplog.text


async def test_a_cancelled_call_stays_cancelled():
    with pytest.raises(asyncio.CancelledError):
        await mapped(raising(asyncio.CancelledError()))(Call("/test", Context()))


async def test_a_handler_without_end_is_ended():
    async def wait(call: Call) -> bytes:
        await asyncio.Event().wait()
        return b""

    number, _, trailing = await refused(intercepted(wait, (mapped, timed(0.001))))

    assert (number, trailing[CODE_KEY]) == (grpc.StatusCode.DEADLINE_EXCEEDED, "deadline-passed")


async def test_a_timeout_inside_a_handler_is_not_taken_for_the_deadline():
    number, *_ = await refused(intercepted(raising(TimeoutError()), (mapped, timed(60))))

    assert number is grpc.StatusCode.INTERNAL


async def test_the_log_has_one_line_for_each_call_with_caller_and_outcome(caplog):
    caplog.set_level(logging.INFO)
    times = iter([1.0, 1.25, 2.0, 2.5])
    call = Call("/test", Context())
    await logged(lambda: next(times))(echo)(call)
    call.identify(node_name(QM))
    with pytest.raises(NotFound):
        await logged(lambda: next(times))(raising(NotFound("the code XYZ")))(call)

    assert [record.getMessage() for record in caplog.records] == [
        "/test from ipv6:[::1]: ok in 250.0 ms",
        "/test from one.qm.nodes.gsp.example.org: not-found in 500.0 ms",
    ]


async def test_a_budget_grants_a_burst_and_then_a_rate():
    at = SimpleNamespace(s=100.0)
    budget = Budget(per_s=10, burst=3, keys_max=10, timer=lambda: at.s)
    for _ in range(3):
        budget.take("qm")
    with pytest.raises(Overloaded):
        budget.take("qm")

    budget.take("qn")
    at.s += 0.1
    budget.take("qm")
    with pytest.raises(Overloaded):
        budget.take("qm")


async def test_calls_that_were_refused_do_not_lengthen_the_wait():
    at = SimpleNamespace(s=100.0)
    budget = Budget(per_s=1, burst=1, keys_max=10, timer=lambda: at.s)
    budget.take("qm")
    for _ in range(1_000):
        with pytest.raises(Overloaded):
            budget.take("qm")

    at.s += 1
    budget.take("qm")


async def test_a_budget_forgets_the_key_not_heard_of_for_longest():
    budget = Budget(per_s=1, burst=1, keys_max=2, timer=lambda: 100.0)
    for key in ("one", "two", "three", "one"):
        budget.take(key)

    with pytest.raises(Overloaded):
        budget.take("three")


async def test_a_call_over_budget_is_refused_before_its_message_is_read():
    context = Context()
    handler = intercepted(echo, (mapped, budgeted(Budget(per_s=1, burst=0, keys_max=1, timer=lambda: 0.0), lambda call: "all")))

    number, _, trailing = await refused(handler, context)

    assert (number, trailing[CODE_KEY]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "overloaded")
    assert context.reads == 0


async def test_the_first_interceptor_is_the_outermost():
    order: list[str] = []

    def named(name: str):
        def intercept(handler):
            async def handle(call: Call) -> bytes:
                order.append(name)
                return await handler(call)

            return handle

        return intercept

    await intercepted(echo, (named("outer"), named("inner")))(Call("/test", Context()))

    assert order == ["outer", "inner"]


async def test_the_message_is_read_once_for_all_who_ask():
    context = Context()
    call = Call("/test", context)

    assert (await call.request(), await call.request(), context.reads) == (b"request", b"request", 1)


async def test_a_call_without_a_message_is_malformed():
    with pytest.raises(Malformed, match="without a message"):
        await Call("/test", Context(message=grpc.aio.EOF)).request()


async def test_a_sender_that_nobody_identified_is_a_defect_of_ours():
    with pytest.raises(Misuse):
        _ = Call("/test", Context()).sender


async def test_binary_metadata_comes_as_bytes():
    call = Call("/test", Context(metadata=(("gsp-signature-bin", b"\x00\xff"), ("user-agent", "test"))))

    assert call.metadata() == {"gsp-signature-bin": b"\x00\xff", "user-agent": "test"}
