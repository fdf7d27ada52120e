"""Makes a fake store fail, before a call takes effect or after: the caller cannot tell which, and has to cope with both."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import wraps
from typing import Any, Protocol

from federation.errors import StoreUnavailable


class When(Enum):
    BEFORE = "before"
    """Nothing has happened."""
    AFTER = "after"
    """It has happened, and the caller is not told so."""


@dataclass(slots=True)
class _Planned:
    method: str
    when: When
    skip: int
    times: int

    def strikes(self, method: str, when: When) -> bool:
        if (self.method, self.when) != (method, when) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class Faults:
    """What goes wrong, by plan or by chance. The same seed and the same calls give the same faults.

    Attributes:
        before, after: probability that a call fails before, or after it took effect.
        calls: how often each method was called.
    """

    seed: int = 0
    before: float = 0.0
    after: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    _planned: list[_Planned] = field(default_factory=list)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def fail(self, method: str, when: When, *, skip: int = 0, times: int = 1) -> None:
        """Let the next `times` calls of the method fail, after `skip` that do not."""
        self._planned.append(_Planned(method, when, skip, times))

    def heal(self) -> None:
        """From now on nothing fails."""
        self._planned.clear()
        self.before = self.after = 0.0

    def strike(self, method: str, when: When) -> None:
        """Raises StoreUnavailable when it is time to."""
        chance = self.before if when is When.BEFORE else self.after
        planned = [fault.strikes(method, when) for fault in self._planned]
        if any(planned) or (chance > 0.0 and self._random.random() < chance):
            raise StoreUnavailable(f"{method} fails on purpose, {when.value} it took effect")


class _HasFaults(Protocol):
    faults: Faults


def may_fail(method: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """A method of a fake store that fails as its `faults` say. It lets others run first, as every real store does."""
    name = method.__name__

    @wraps(method)
    async def call(self: _HasFaults, *arguments: Any, **named: Any) -> Any:
        self.faults.calls[name] += 1
        await asyncio.sleep(0)
        self.faults.strike(name, When.BEFORE)
        result = await method(self, *arguments, **named)
        self.faults.strike(name, When.AFTER)
        return result

    return call
