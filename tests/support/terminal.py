"""Runs `gsp` in this process, for the officer of a profile, at a fake desk and at a fixed time."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from click.testing import CliRunner, Result

from node.__main__ import main
from node.cli.session import Surroundings
from tests.support import pki
from tests.support.fake_desk import FakeDesk, connecting
from tests.support.officers import officer_profile
from tests.support.rpc import SetClock


@dataclass
class Terminal:
    """Where an officer types.

    Attributes:
        folder: of the test; the profile is in it.
    """

    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(float(pki.NOW)))

    def __post_init__(self) -> None:
        self.desk = FakeDesk(clock=self.clock)
        self.profile = officer_profile(self.folder / "profile")

    def run(self, command: str, *, typed: str | IO[bytes] | None = None, officer: bool = True) -> Result:
        """Type one line, without the name of the program."""
        return self.run_words(shlex.split(command), typed=typed, officer=officer)

    def run_words(self, words: list[str], *, typed: str | IO[bytes] | None = None, officer: bool = True) -> Result:
        environment = {"GSP_OFFICER": str(self.profile) if officer else None, "COLUMNS": "100"}
        surroundings = Surroundings(clock=self.clock, connect=connecting(self.desk))
        return CliRunner().invoke(main, words, obj=surroundings, env=environment, input=typed)
