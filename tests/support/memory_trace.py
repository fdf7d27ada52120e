"""A trace store in memory that keeps the contract of `TraceStore`, and can be told to fail before or after taking effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from federation.errors import Conflict, StoreUnavailable
from node.trace.events import Event, Remark, Report
from node.trace.gather import Gathered, gather
from node.trace.model import Coverage, Reference, ReferenceName, reference_name
from node.trace.ports import check_lookup, check_put


class MemoryTrace:
    """Attributes:
    fails_before: the next call fails and nothing is filed.
    fails_after: the next call takes effect, and the caller is told that it failed.
    """

    def __init__(self) -> None:
        self.fails_before = False
        self.fails_after = False
        self._reports: dict[str, Report] = {}
        self._events: dict[str, list[Event]] = {}
        self._remarks: dict[str, list[Remark]] = {}
        self._references: dict[ReferenceName, Reference] = {}
        self._coverage = Coverage()

    async def put(self, reports: Sequence[Report]) -> int:
        check_put(reports)
        self._fail_before()
        fresh: dict[str, Report] = {}
        for report in reports:
            filed = self._reports.get(report.event.event_id, fresh.get(report.event.event_id))
            if filed is None:
                fresh[report.event.event_id] = report
            elif filed != report:
                raise Conflict(f"the event {report.event.event_id} is filed with another content")
        for report in fresh.values():
            self._file(report)
        self._fail_after()
        return len(fresh)

    def _file(self, report: Report) -> None:
        self._reports[report.event.event_id] = report
        for key in report.keys:
            self._events.setdefault(key, []).append(report.filed)
        if isinstance(report.event, Remark):
            self._remarks.setdefault(report.event.about, []).append(report.event)

    async def put_references(self, references: Sequence[Reference]) -> None:
        self._fail_before()
        self._references |= {reference_name(reference): reference for reference in references}
        self._fail_after()

    async def put_coverage(self, coverage: Coverage) -> None:
        self._fail_before()
        self._coverage = coverage.completed(self._coverage.complete_as_of)
        self._fail_after()

    async def mark_complete(self, as_of: int) -> None:
        self._fail_before()
        self._coverage = self._coverage.completed(as_of)
        self._fail_after()

    async def gather(self, keys: Sequence[str]) -> Gathered:
        check_lookup(keys)
        self._fail_before()
        return gather(MemoryShelf(self), keys)

    def _fail_before(self) -> None:
        if self.fails_before:
            self.fails_before = False
            raise StoreUnavailable("the disk failed before anything was written")

    def _fail_after(self) -> None:
        if self.fails_after:
            self.fails_after = False
            raise StoreUnavailable("the disk failed after everything was written")


class MemoryShelf:
    def __init__(self, store: MemoryTrace) -> None:
        self._store = store

    def events(self, keys: Collection[str]) -> Mapping[str, Sequence[Event]]:
        return {key: self._store._events[key] for key in keys if key in self._store._events}

    def remarks(self, event_ids: Collection[str]) -> Iterable[Remark]:
        return [remark for event_id in event_ids for remark in self._store._remarks.get(event_id, ())]

    def references(self, names: Collection[ReferenceName]) -> Iterable[Reference]:
        return [self._store._references[name] for name in names if name in self._store._references]

    def coverage(self) -> Coverage:
        return self._store._coverage
