"""A year of a hundred Parties on virtual time, from a seed, and what is said of it."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.schedule import Event, Plan, Schedule
from tests.support.shrinking import RUNS_MAX, shortened
from tests.support.simulated_officers import DAY, HOUR
from tests.support.storm import Broken, Outcome, run_schedule

PARTIES, DAYS = 100, 365
MESSAGES = 100_000
"""Queries, answers, and the receipts for both."""
SHRINKING_S = 3_600.0
"""A failure of which no short part fails, as one that comes with age, is cut down for an hour and not for days."""
WINDOWS_S = (1.0 * DAY, 4.0 * DAY, 16.0 * DAY, 64.0 * DAY)
MESSAGES_PER_QUERY = 3.7
"""Not every query is answered before its deadline, and not everything gets a receipt."""


def year(*, parties: int = PARTIES, days: int = DAYS, messages: int = MESSAGES) -> Plan:
    """Everything that happens to a treaty, as often as in a bad year; less of it when there are fewer Parties or days."""
    share = parties * days / (PARTIES * DAYS)
    return Plan(
        parties=parties,
        witnesses=min(7, parties),
        days=days,
        enquiries=int(messages / MESSAGES_PER_QUERY),
        codes=1,
        crashes=max(4, int(600 * share)),
        partings=max(2, int(60 * days / DAYS)),
        outages=max(1, int(20 * share)),
        long_outages=max(1, int(4 * share)) if days > 60 else 0,
        steps=max(2, int(200 * share)),
        restores=max(1, int(12 * share)),
        stormy=max(1, int(60 * days / DAYS)),
        faulty=max(2, int(200 * share)),
        absence_s=min(30, days / 4) * DAY,
        deadlines_s=(HOUR, 6 * HOUR, 2 * DAY, 7 * DAY, 7 * DAY, 60 * DAY),
        pace_s=float(DAY),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to, and what it cost."""

    schedule: Schedule
    outcome: Outcome
    wall_s: float
    cpu_s: float
    memory_mb: int

    def summary(self) -> str:
        """One line."""
        got = self.outcome
        return (
            f"seed {self.schedule.seed}: {self.schedule.parties} Parties, {got.messages + got.receipts} messages "
            f"({got.asked + got.forgotten} queries, {got.messages - got.asked} answers, {got.receipts} receipts), "
            f"{got.lost} lost, {got.doubled} doubled, {got.forgotten} asked after a backup that was put back, "
            f"{len(self.schedule.events)} events, {got.virtual_days:.0f} virtual days; "
            f"{self.wall_s:.0f} s, {self.cpu_s:.0f} s of one core, {self.memory_mb} MB at most"
        )


def measured(schedule: Schedule, *, told: Callable[[float, int], None] = lambda _days, _calls: None) -> Report:
    """Run it, as `run_schedule`.

    Raises:
        Broken: something that has to hold does not.
    """
    gc.set_threshold(50_000, 50, 100)  # nearly everything lives to the end, and looking through it again and again takes minutes
    wall, cpu = time.monotonic(), time.process_time()
    outcome = run_schedule(schedule, told=told)
    return Report(
        schedule=schedule,
        outcome=outcome,
        wall_s=time.monotonic() - wall,
        cpu_s=time.process_time() - cpu,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def shortest(
    schedule: Schedule, failure: Broken, *, runs_max: int = RUNS_MAX, told: Callable[[Schedule], None] = lambda _part: None
) -> Schedule:
    """The shortest part of a schedule that still fails.

    What comes after the failure is left out; then the last days before it are tried alone, moved to the beginning, because a day costs
    a hundredth of a year.

    Args:
        schedule: one that fails.
        failure: how.
        runs_max: how often a part of it may be run.
        told: each part that is tried.
    """

    def fails(events: Sequence[Event]) -> bool:
        if time.monotonic() > patient_until:
            return False  # what failed last stands
        part = base.of(events)
        told(part)
        return failure_of(part) is not None

    patient_until = time.monotonic() + SHRINKING_S
    base = schedule.of(event for event in schedule.events if event.at <= failure.at_s)
    for window_s in WINDOWS_S:
        recent = base.since(failure.at_s - window_s)
        if window_s < failure.at_s:
            told(recent)
            again = failure_of(recent)
            if again is not None:
                base = recent
                break
    return base.of(shortened(base.events, fails, runs_max=runs_max))


def failure_of(schedule: Schedule) -> Broken | None:
    """What fails in it: an invariant, wherever in the federation it was looked at."""
    try:
        measured(schedule)
    except Broken as failure:
        return failure
    return None
