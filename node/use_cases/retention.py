"""The end of retention: what the law asks to be kept is kept that long, and then goes, a little at a time.

Contents go, with salts and replay marks; the hashes of the journal stay, so every checkpoint that others hold stays true. Each
step is one commit with a record of how much went: a crash leaves either nothing done or all of the step.
"""

from __future__ import annotations

import logging

from federation import limits
from federation.boundary.receipts import journal_leaf
from federation.evidence.journal import NO_MESSAGE, SALT_BYTES, JournalKind, JournalRecord
from federation.ports import Change, ExchangeStore, Expired, RetentionStore
from node import limits as node_limits
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)


class Retention:
    """Erases what has been kept long enough."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: RetentionStore,
        exchange_store: ExchangeStore,
        registry: Registry,
        retention_s: int,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._exchange_store = exchange_store
        self._registry = registry
        self._retention_s = retention_s

    async def sweep(self) -> None:
        """A few steps. Nothing goes while the directory is stale: a clock that jumped ahead makes it look old, and what is erased by a
        wrong clock is gone.
        """
        if self._registry.age_s >= limits.DIRECTORY_FRESH_S:
            return
        for _ in range(node_limits.RETENTION_STEPS_MAX):
            before = self._world.now() - self._retention_s
            expired = await self._store.expired(before=before, rows=node_limits.RETENTION_ROWS)
            if expired.is_empty:
                return
            await self._erase(expired)

    async def _erase(self, expired: Expired) -> None:
        note = f"{len(expired.crossings)} messages, {expired.records} records"
        record = JournalRecord(
            kind=JournalKind.ERASED,
            at=self._world.now(),
            message_id=NO_MESSAGE,
            peer=self._own.party,
            digest=bytes(32),
            note=note,
        )
        leaf = journal_leaf(record, salt=self._world.entropy(SALT_BYTES))
        await self._exchange_store.commit(Change(erased=expired, leaves=(leaf,)))
        logger.info("retention has ended", extra={"messages": len(expired.crossings), "records": expired.records})
