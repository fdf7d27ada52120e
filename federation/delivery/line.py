"""The line to one peer: whether it is worth trying, and when.

A peer that is away is away for all its messages. So after a few rounds without an answer the line is broken: one message at a time
probes it, less often the longer it lasts, and the others wait without being tried. An answer of any kind closes the line again, and so
does any call that comes from the peer; then everything that waits goes out at once.

Seconds here are those of a timer that only grows, never the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from federation import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is known of the way to one peer.

    Attributes:
        failures: rounds of tries in a row in which nobody answered.
        since: when the first of them began.
        failed_at: when the last round was counted.
        next_probe: when a broken line may be tried again.
    """

    failures: int = 0
    since: float = inf
    failed_at: float = -inf
    next_probe: float = 0.0

    @property
    def is_broken(self) -> bool:
        """Whether messages wait instead of being tried."""
        return self.failures >= limits.LINE_FAILURES_MAX


def after_silence(line: Line, *, began: float, now: float, jitter: float) -> Line:
    """A try that began then was not answered. Tries that were under way together count once.

    A probe waits for a small share of the time that the peer has been away, up to RETRY_S_MAX, spread by `jitter` in [0, 1): who was
    away for ten minutes is reached within seconds, and who was away for a day within minutes.
    """
    if began < line.failed_at:
        return line
    since = min(line.since, began)
    delay_s = min(limits.RETRY_S_MAX, max(limits.RETRY_S_MIN, (now - since) / limits.LINE_PROBES_SHARE))
    return Line(failures=line.failures + 1, since=since, failed_at=now, next_probe=now + delay_s * (0.5 + jitter / 2))


def after_call(line: Line) -> Line:
    """The peer called: the line is whole. That we reach it is not said yet, so that one more silent round breaks it again."""
    return replace(line, failures=min(line.failures, limits.LINE_FAILURES_MAX - 1))
