"""Rows and files of attachments agree again, whatever happened between them: at the start of a node, and now and then.

A row whose file is lost is fetched again, or is gone when it was ours. A file that no row and no officer has is removed; while the
node runs, only one that was without an owner at the look before too. And what was kept long enough is let go.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from federation import limits
from federation.delivery.attachment import AttachmentState, Spooled
from federation.delivery.direction import Direction
from federation.errors import NotFound
from federation.ports import Change, ExchangeStore, SpoolFile
from node import limits as node_limits
from node.use_cases.attachments import AttachmentPorts, Attachments
from node.use_cases.uploads import Uploads
from node.use_cases.world import World

logger = logging.getLogger(__name__)


class SpoolSweep:
    """Compares, once at the start and then each hour."""

    def __init__(
        self, *, world: World, store: ExchangeStore, ports: AttachmentPorts, uploads: Uploads, attachments: Attachments
    ) -> None:
        self._world = world
        self._store = store
        self._ports = ports
        self._uploads = uploads
        self._attachments = attachments
        self._stray: frozenset[str] | None = None
        self._next_at = 0.0

    async def chore(self) -> None:
        """Sweep when it is time to. Raises StoreUnavailable: it is tried again at the next round."""
        now = self._world.clock.now()
        if self._stray is not None and now < self._next_at:
            return
        await self.sweep()
        self._next_at = now + node_limits.SPOOL_SWEEP_S

    async def sweep(self) -> None:
        """Look through all rows and all files."""
        await self._uploads.expire()
        held = self._uploads.files()
        files = await self._ports.spool.files()
        settled = {file.name: file for file in files if file.settled}
        partial = {file.name: file for file in files if not file.settled}
        owned: set[str] = set(held)
        async for one in self._kept():
            after = await self._after(one, settled, partial)
            if after.state is not AttachmentState.GONE:
                owned.add(one.place.file)
            if after is not one:
                await self._store.commit(Change(attachments=(after,)))
        stray = frozenset(file.name for file in files) - owned - self._uploads.files()
        for name in stray if self._stray is None else stray & self._stray:
            await self._ports.spool.remove(name)
        if stray:
            logger.info("files of the spool belong to nothing", extra={"files": len(stray)})
        self._stray = stray
        self._attachments.nudge()

    async def _kept(self) -> AsyncIterator[Spooled]:
        after = None
        while page := await self._ports.rows.attachments_kept(after=after, rows=limits.PAGE_ROWS_MAX):
            for one in page:
                yield one
            after = page[-1].place

    async def _after(self, one: Spooled, settled: Mapping[str, SpoolFile], partial: Mapping[str, SpoolFile]) -> Spooled:
        """The row as it has to be: itself when nothing changes."""
        now = self._world.now()
        name = one.place.file
        if _is_over(one, now=now):
            return replace(one, state=AttachmentState.GONE, changed=now)
        if one.state is AttachmentState.WAITING:
            if name in partial:
                self._attachments.began_before(one.place, one.peer, partial[name].size)
            return one
        if (name in settled and settled[name].size == one.named.size) or await self._is_there(one):
            return one
        logger.warning("a file is lost", extra={"peer": one.peer, "file": name})
        if one.direction is Direction.SENT:
            return replace(one, state=AttachmentState.GONE, changed=now, problem=NotFound.code)
        await self._ports.spool.remove(name)
        return replace(one, state=AttachmentState.WAITING, changed=now, attempts=0, next_attempt=float(now))

    async def _is_there(self, one: Spooled) -> bool:
        """It may have been settled since the files were listed."""
        return await self._ports.spool.size(one.place.file, settled=True) == one.named.size


def _is_over(one: Spooled, *, now: int) -> bool:
    match one.state:
        case AttachmentState.DELIVERED:
            return now > one.changed + node_limits.ATTACHMENT_KEPT_S
        case AttachmentState.OFFERED:
            return now > one.since + node_limits.ATTACHMENT_WAIT_S_MAX + node_limits.ATTACHMENT_KEPT_S
        case AttachmentState.WAITING:
            return now > one.since + node_limits.ATTACHMENT_WAIT_S_MAX
        case _:
            return False
