"""`make soak`: a year of a hundred Parties from a seed, or a schedule from a file, or real nodes that are killed.

A line says what came of it. When something does not hold, the schedule is cut down to the shortest part of it that still fails, which
is printed and written to `.soak/`, and the run ends with 1.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.soak import nodes
from tests.soak.year import DAYS, MESSAGES, PARTIES, failure_of, measured, shortest, year
from tests.support.history import TAIL_LINES
from tests.support.schedule import Schedule
from tests.support.shrinking import RUNS_MAX
from tests.support.storm import Broken

FOLDER = Path(".soak")
TOLD_DAYS = 5


def main() -> int:
    """Run it; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=Path, help="run the schedule in this file")
    parser.add_argument("--parties", type=int, default=PARTIES)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--bug", default="", help="plant this one (tests.support.planted)")
    parser.add_argument("--runs", type=int, default=RUNS_MAX, help="so many of parts of a schedule that fails")
    parser.add_argument("--nodes", type=int, default=0, help="so many real nodes instead, --messages questions")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)  # nodes log every call that fails, and here every other one does
    if arguments.nodes:
        return _nodes(arguments)
    if arguments.plan is not None:
        schedule = Schedule.parse(arguments.plan.read_text(encoding="utf-8"))
    else:
        plan = year(parties=arguments.parties, days=arguments.days, messages=arguments.messages)
        schedule = plan.draw(arguments.seed, bug=arguments.bug)
    try:
        say(measured(schedule, told=_tell_progress).summary())
    except Broken as failure:
        _tell(schedule, failure, runs_max=arguments.runs)
        return 1
    return 0


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell_progress(days: float, calls: int) -> None:
    if int(days) % TOLD_DAYS == 0:
        sys.stderr.write(f"  day {days:.0f}: {calls} calls, {time.process_time():.0f} s of one core\n")


def _tell(schedule: Schedule, failure: Broken, *, runs_max: int) -> None:
    say(f"seed {schedule.seed} fails: {failure}")
    part = shortest(schedule, failure, runs_max=runs_max, told=lambda one: say(f"  {len(one.events)} events"))
    again = failure_of(part) or failure
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"seed-{schedule.seed}.plan"
    file.write_text(part.text(), encoding="utf-8")
    cause = again.__cause__
    say("\n".join(getattr(cause, "__notes__", ())) or f"no history of the last {TAIL_LINES} events")
    say(f"the shortest history that still fails: {again}\n{part.text()}run it again with `make soak PLAN={file}`")


def _nodes(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        trouble = nodes.Trouble(
            parties=arguments.nodes,
            questions=arguments.messages,
            seed=arguments.seed,
            kills=max(3, arguments.messages // 100),
            cuts=max(2, arguments.messages // 100),
        )
        report = asyncio.run(nodes.troubled(Path(folder), trouble))
    say(report.summary())
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
