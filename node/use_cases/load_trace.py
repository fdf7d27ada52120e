"""Filing a file or a demonstration in a trace store, in batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from node.trace.events import Filing, Report
from node.trace.model import Coverage, Reference
from node.trace.ports import TraceStore

_BATCH_ROWS: Final = 20_000
"""Reports and codes in one transaction: large enough for speed, small enough for the memory of a small server."""


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What was filed.

    Attributes:
        new: reports that were not there before.
    """

    reports: int = 0
    new: int = 0
    references: int = 0


async def load_trace(store: TraceStore, filings: Iterable[Filing]) -> Loaded:
    """File everything. It may be repeated as a whole after any error.

    A coverage is declared last, when all that it calls complete is filed.

    Raises:
        Conflict, StoreUnavailable: as `TraceStore.put`; what came in earlier batches stays filed.
    """
    loaded = Loaded()
    reports: list[Report] = []
    references: list[Reference] = []
    coverages: list[Coverage] = []
    rows = 0
    for filing in filings:
        match filing:
            case Report():
                reports.append(filing)
                rows += 1 + len(filing.codes)
            case Coverage():
                coverages.append(filing)
            case _:
                references.append(filing)
                rows += 1
        if rows >= _BATCH_ROWS:
            await _file(store, reports, references, loaded)
            reports, references, rows = [], [], 0
    await _file(store, reports, references, loaded)
    for coverage in coverages:
        await store.put_coverage(coverage)
    return loaded


async def _file(store: TraceStore, reports: list[Report], references: list[Reference], loaded: Loaded) -> None:
    if references:
        await store.put_references(references)
        loaded.references += len(references)
    if reports:
        loaded.new += await store.put(reports)
        loaded.reports += len(reports)
