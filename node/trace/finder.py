"""From codes to findings: one look-up in the store, then pure rules."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from federation.query.items import Item
from node.trace.containment import Containment
from node.trace.items import describe
from node.trace.model import Finding, is_key
from node.trace.ports import TraceStore

_TURN: Final = 50
"""Codes described in one turn of the event loop: some ten milliseconds, so that a container's codes keep nobody waiting."""


async def find(store: TraceStore, keys: Sequence[str], *, now: float, wanted: frozenset[Item]) -> tuple[Finding | None, ...]:
    """What this Party can say of some codes.

    Args:
        store: read once, whatever the number of codes.
        keys: canonical keys, at most TRACE_KEYS_PER_LOOKUP_MAX.
        now: Unix seconds, UTC.
        wanted: the items to give.

    Returns:
        One finding for each key, in their order. None says that no such code was ever issued or reported here, which for a code
        of this Party means "never issued". It is not "counterfeit": a code may be mistyped, or not in the data yet.

    Raises:
        Oversized, Overloaded, StoreUnavailable: as `TraceStore.gather`.
    """
    # A text that cannot be a key was never filed under one; stores are spared it.
    containment = Containment(await store.gather([key for key in keys if is_key(key)]))
    findings: list[Finding | None] = []
    for index, key in enumerate(keys, start=1):
        history = containment.history(key)
        findings.append(describe(history, now=now, wanted=wanted) if history is not None else None)
        if index % _TURN == 0:
            await asyncio.sleep(0)
    return tuple(findings)
