"""The one place that reads the machine's wall clock; everywhere else time is an argument."""

from __future__ import annotations

import time


class SystemClock:
    """`federation.ports.Clock` on this machine."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()
