"""What stands around every handler, each in a few lines, and chained here and nowhere else.

    timely      the time of this node's clock goes behind every reply, for the caller's operator         between nodes only
    introduced  so do the version of this program and the end of this node's certificate          between nodes only
    mapped      an error becomes a status; of one that nobody foresaw the log has the place, and the caller nothing
    logged      one line for each call: method, caller, outcome, duration; no person, code or secret
    timed       one deadline for everything that follows, the arrival of the message included
    identified  which node calls, from the certificate and the anchors of this moment             between nodes only
    budgeted    so many calls a second from one Party, or from one address where nobody is known yet

The desk verifies its officers behind `desk_chain`, where the bytes of the request are read: an officer signs them (`desk`).
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Hashable

from grpc.aio import AbortError

from federation import limits
from federation.errors import DeadlinePassed, FederationError, Misuse, Overloaded
from federation.ports import Clock
from node import limits as node_limits
from node.rpc.calls import TIME_KEY, Call, Handler, Interceptor
from node.rpc.errors import UNFORESEEN, to_status
from node.rpc.introduction import introduction
from node.rpc.tls import ServerTls

_LOG = logging.getLogger(__name__)

Timer = Callable[[], float]
"""Seconds that only grow: the loop's time, never the wall clock."""


class Budget:
    """How much one caller may ask of us: a rate, and a burst above it, for each key.

    For each key one number is kept, the time at which everything granted so far would be used up at the given rate. The key not
    heard of for longest is forgotten when there are too many, which can only give it a fresh burst.
    """

    def __init__(self, *, per_s: float, burst: int, keys_max: int, timer: Timer) -> None:
        self._interval_s = 1 / per_s
        self._ahead_s = burst / per_s
        self._keys_max = keys_max
        self._timer = timer
        self._used_up_at: dict[Hashable, float] = {}

    def take(self, key: Hashable) -> None:
        """Take one call off the key's budget.

        Raises:
            Overloaded: it is used up.
        """
        now = self._timer()
        used_up_at = max(self._used_up_at.pop(key, now), now)
        granted = used_up_at + self._interval_s - now <= self._ahead_s
        self._used_up_at[key] = used_up_at + self._interval_s if granted else used_up_at
        if len(self._used_up_at) > self._keys_max:
            del self._used_up_at[next(iter(self._used_up_at))]
        if not granted:
            raise Overloaded("too many calls in a short time")


def node_chain(
    *, tls: ServerTls, clock: Clock, timer: Timer, heard: Callable[[Call], None] = lambda _call: None, version: str = ""
) -> tuple[Interceptor, ...]:
    """For a port where nodes call nodes.

    Args:
        tls: says who calls.
        clock: for certificates.
        timer: for budgets and the log.
        heard: told of every call whose caller was identified: whatever waits for it need wait no longer.
        version: of this program, for the callers' operators.
    """
    budget = Budget(
        per_s=node_limits.CALLS_PER_PARTY_PER_S,
        burst=node_limits.CALLS_PER_PARTY_BURST,
        keys_max=limits.PARTIES_MAX + 1,
        timer=timer,
    )
    return (
        timely(clock),
        introduced(version, tls),
        mapped,
        logged(timer),
        timed(limits.RPC_TIMEOUT_S),
        identified(tls, clock, heard),
        budgeted(budget, lambda call: call.sender.party),
    )


def join_chain(*, timer: Timer) -> tuple[Interceptor, ...]:
    """For the join port, where all that a caller has is a token."""
    return _guest_chain(node_limits.JOIN_CALLS_PER_ADDRESS_PER_S, node_limits.JOIN_CALLS_PER_ADDRESS_BURST, timer)


def desk_chain(*, timer: Timer) -> tuple[Interceptor, ...]:
    """For the desk's port; which officer calls is found out behind these."""
    return _guest_chain(node_limits.DESK_CALLS_PER_ADDRESS_PER_S, node_limits.DESK_CALLS_PER_ADDRESS_BURST, timer)


def _guest_chain(per_s: float, burst: int, timer: Timer) -> tuple[Interceptor, ...]:
    budget = Budget(per_s=per_s, burst=burst, keys_max=node_limits.GUEST_ADDRESSES_MAX, timer=timer)
    return mapped, logged(timer), timed(limits.RPC_TIMEOUT_S), budgeted(budget, lambda call: call.address)


def timely(clock: Clock) -> Interceptor:
    """Tell the time: milliseconds since 1970 as 8 bytes."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            call.attach(TIME_KEY, int(clock.now() * 1_000).to_bytes(8))
            return await handler(call)

        return handle

    return intercept


def introduced(version: str, tls: ServerTls) -> Interceptor:
    """Tell the version of this program, and when the certificate ends that it shows."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            for key, value in introduction(version, tls.certificate_ends):
                call.attach(key, value)
            return await handler(call)

        return handle

    return intercept


def mapped(handler: Handler) -> Handler:
    """Turn errors into status by the table in `errors`."""

    async def handle(call: Call) -> bytes:
        try:
            return await handler(call)
        except AbortError:
            raise
        except FederationError as error:
            if isinstance(error, Misuse):
                _log_failure(call, error)
            await call.refuse(to_status(error))
        except Exception as error:  # noqa: BLE001  # whatever a handler does, its caller gets a status and the log the place
            _log_failure(call, error)
            await call.refuse(UNFORESEEN)

    return handle


def _log_failure(call: Call, error: Exception) -> None:
    """Say where it happened, and not what the exception says: there may be a code or a person in it."""
    _LOG.error("%s failed: %s at\n%s", call.method, type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))


def logged(timer: Timer) -> Interceptor:
    """Write one line for each call."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            start, outcome = timer(), "failed"
            try:
                reply = await handler(call)
                outcome = "ok"
            except FederationError as error:
                outcome = error.code
                raise
            except asyncio.CancelledError:
                outcome = "cancelled"
                raise
            else:
                return reply
            finally:
                if _LOG.isEnabledFor(logging.INFO):
                    _LOG.info("%s from %s: %s in %.1f ms", call.method, call.caller, outcome, (timer() - start) * 1_000)

        return handle

    return intercept


def timed(timeout_s: float) -> Interceptor:
    """End a call that takes too long, whatever deadline its caller gave."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            try:
                async with asyncio.timeout(timeout_s) as deadline:
                    return await handler(call)
            except TimeoutError:
                if not deadline.expired():
                    raise
                raise DeadlinePassed("the node could not finish the call in time", hint="try again later") from None

        return handle

    return intercept


def identified(tls: ServerTls, clock: Clock, heard: Callable[[Call], None]) -> Interceptor:
    """Find out which node calls; nothing that the call says of itself is believed."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            sender = tls.identify(call.connection(), now=clock.now())
            call.identify(sender)
            heard(call)
            return await handler(call)

        return handle

    return intercept


def budgeted(budget: Budget, key: Callable[[Call], Hashable]) -> Interceptor:
    """Refuse a flood."""

    def intercept(handler: Handler) -> Handler:
        async def handle(call: Call) -> bytes:
            budget.take(key(call))
            return await handler(call)

        return handle

    return intercept
