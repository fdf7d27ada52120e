"""Where the time of one automatic query goes: both nodes in this process, each stage timed where the use cases call it."""

from __future__ import annotations

import inspect
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from node.store.exchange import SqliteExchange
from node.use_cases import answering, asking, composing, exchange, outbox, repository, sealing, world
from node.use_cases.keyring import Keyring

BESIDE: ContextVar[bool] = ContextVar("beside", default=False)
"""Set where a receipt for an answer is taken: that happens beside the queries, and is in nobody's way."""

STAGES: tuple[tuple[Any, str, str], ...] = (
    (Keyring, "make", "make the reply key"),
    (asking, "encode_query_body", "encode and decode bodies"),
    (composing, "encode_answer_body", "encode and decode bodies"),
    (sealing, "seal_message", "seal and sign, both ways"),
    (SqliteExchange, "commit", "wait for four commits"),
    (exchange, "read_envelope", "verify envelopes"),
    (asking, "read_envelope", "verify envelopes"),
    (exchange, "open_message", "open, verify officer, decode"),
    (asking, "open_message", "open, verify officer, decode"),
    (world.Own, "receipt", "sign receipts"),
    (outbox, "read_receipt_of", "verify the receipt"),
    (repository, "find", "look up and describe"),
)
"""What is timed: where it is looked up, its name there, and the stage it belongs to."""


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """The function, with its time added to the stage."""
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                start = time.perf_counter()
                try:
                    return await function(*args, **kwargs)
                finally:
                    if not BESIDE.get():
                        self.seconds[stage] += time.perf_counter() - start

            return awaited

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[stage] += time.perf_counter() - start

        return called


def beside(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with nothing timed in it."""

    @wraps(function)
    async def untimed(*args: Any, **kwargs: Any) -> Any:
        token = BESIDE.set(True)
        try:
            return await function(*args, **kwargs)
        finally:
            BESIDE.reset(token)

    return untimed


@contextmanager
def timing() -> Iterator[Stopwatch]:
    """Time every stage until the block ends."""
    watch = Stopwatch()
    originals = [(place, name, getattr(place, name)) for place, name, _ in STAGES]
    for place, name, stage in STAGES:
        setattr(place, name, watch.timed(getattr(place, name), stage))
    receipted = answering.Answering._receipted
    answering.Answering._receipted = beside(receipted)
    try:
        yield watch
    finally:
        answering.Answering._receipted = receipted
        for place, name, original in originals:
            setattr(place, name, original)


async def stages(ask: Callable[[], Awaitable[object]], queries: int) -> tuple[float, dict[str, float]]:
    """Mean seconds of a whole query, and of each stage in it; what is in no stage is transport, scheduling and bookkeeping."""
    for _ in range(queries // 5):
        await ask()
    with timing() as watch:
        start = time.perf_counter()
        for _ in range(queries):
            await ask()
        whole = (time.perf_counter() - start) / queries
    return whole, {stage: seconds / queries for stage, seconds in watch.seconds.items()}
