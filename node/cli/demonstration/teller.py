"""What the demonstration says: on the screen as it happens, and as facts for `--json`."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from federation.errors import Misuse
from node.cli.demonstration.processes import LOOK_HINT
from node.cli.output import show
from node.cli.words import WIDTH

_PAUSE_S: Final = 1.5
"""A moment for reading after each chapter."""
_PAUSES_END_S: Final = 40.0
"""When the story is as old as this, it goes on without pauses: it is promised to end within a minute."""
_INDENT: Final = "   "


@dataclass(slots=True, kw_only=True)
class Told:
    """One chapter as it was told.

    Attributes:
        facts: everything that was seen and checked in it.
        problem: why the chapter did not hold, or empty.
    """

    number: int
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""


class Teller:
    """Tells chapter by chapter.

    Args:
        aloud: on the screen; otherwise facts are kept and nothing is printed.
        pauses: leaves a moment for reading after each chapter.
    """

    def __init__(self, *, aloud: bool, pauses: bool) -> None:
        self._aloud = aloud
        self._pauses = pauses
        self._time = asyncio.get_running_loop().time
        self._began = self._time()
        self.chapters: list[Told] = []

    @property
    def age_s(self) -> float:
        """Seconds since the story began."""
        return self._time() - self._began

    @property
    def chapter(self) -> Told:
        """The one that is being told."""
        return self.chapters[-1]

    def begin(self, title: str) -> None:
        """Open the next chapter; the first one, in which the federation starts, has the number 0."""
        self.chapters.append(Told(number=len(self.chapters), title=title, seconds=self.age_s))
        self.show(["", f"{self.chapter.number}. {title}", ""], indent="")

    async def end(self, problem: str = "") -> None:
        """Close the chapter."""
        told = self.chapter
        told.seconds, told.problem = self.age_s - told.seconds, problem
        if self._pauses and told.number and not problem and self.age_s < _PAUSES_END_S:
            await asyncio.sleep(_PAUSE_S)

    def say(self, text: str) -> None:
        """A paragraph in plain words."""
        self.show([*textwrap.wrap(text, WIDTH - len(_INDENT)), ""])

    def step(self, text: str) -> None:
        """A line of progress, with the seconds that have passed."""
        self.show([f"{self.age_s:5.1f} s  {text}"])

    def show(self, lines: Iterable[str], *, indent: str = _INDENT) -> None:
        """Lines that are laid out already, such as a table."""
        if self._aloud:
            show({}, [f"{indent}{line}" for line in lines], as_json=False)

    def note(self, **facts: Any) -> None:
        """Keep facts of this chapter."""
        self.chapter.facts.update(facts)


def require(holds: bool, words: str) -> None:
    """See that a fact of the story is as it must be.

    Raises:
        Misuse: it is not; the words say what is wrong.
    """
    if not holds:
        raise Misuse(words, hint=LOOK_HINT)
