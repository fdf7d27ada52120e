"""What the rules of `node.trace` need of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from federation.errors import Oversized
from node import limits
from node.trace.events import Report
from node.trace.gather import Gathered
from node.trace.model import Coverage, Reference


def check_put(reports: Sequence[Report]) -> None:
    """Hold one `put` against the limit; every store calls it first.

    Raises:
        Oversized: too many reports and codes for one transaction.
    """
    if sum(1 + len(report.codes) for report in reports) > limits.TRACE_ROWS_PER_PUT_MAX:
        raise Oversized(
            f"more than {limits.TRACE_ROWS_PER_PUT_MAX} reports and codes at once", hint="file them in smaller batches"
        )


def check_lookup(keys: Sequence[str]) -> None:
    """Hold one look-up against the limit; every store calls it first.

    Raises:
        Oversized: too many keys.
    """
    if len(keys) > limits.TRACE_KEYS_PER_LOOKUP_MAX:
        raise Oversized(f"more than {limits.TRACE_KEYS_PER_LOOKUP_MAX} codes at once", hint="ask in smaller batches")


class TraceStore(Protocol):
    """A Party's own traceability data.

    Durable: what a method has returned from survives the loss of power. Each call takes effect as a whole or not at all, and
    a look-up sees one state of the store. Idempotent: every call may be repeated. Who retries: the caller, after
    `StoreUnavailable`, with the same arguments; a store never retries by itself.

    Trust: a look-up believes what it reads. Whoever controls the store can invent, hide and change the history of this Party's
    own codes, and learns which codes are asked about; it can sign nothing, and it sees no query and no other Party's data.
    """

    async def put(self, reports: Sequence[Report]) -> int:
        """File reports, in any order: an event may come in before the events that it follows or speaks about.

        Returns:
            How many were new. A report that is filed already, with the same content, is counted as not new.

        Raises:
            Conflict: an `event_id` is filed with another content (reports are corrected by a recall); nothing was filed.
            Oversized: more than TRACE_ROWS_PER_PUT_MAX reports and codes together.
            StoreUnavailable: the disk is full, locked or broken; nothing was filed.
        """
        ...

    async def put_references(self, references: Sequence[Reference]) -> None:
        """File master data; a later one takes the place of an earlier one with the same name.

        Raises:
            StoreUnavailable: nothing was filed.
        """
        ...

    async def put_coverage(self, coverage: Coverage) -> None:
        """Declare anew what this Party's system records. Its `complete_as_of` counts as in `mark_complete`.

        Raises:
            StoreUnavailable: the earlier coverage stands.
        """
        ...

    async def mark_complete(self, as_of: int) -> None:
        """Say that every event up to this time has been reported. It never moves back.

        Args:
            as_of: Unix seconds, UTC.

        Raises:
            StoreUnavailable: the earlier time stands.
        """
        ...

    async def gather(self, keys: Sequence[str]) -> Gathered:
        """Everything that bears on some codes (see `gather.gather`); keys that nobody reported have no events.

        Raises:
            Oversized: more than TRACE_KEYS_PER_LOOKUP_MAX keys.
            Overloaded: more events than one look-up may read.
            StoreUnavailable: the disk is locked or broken.
        """
        ...
