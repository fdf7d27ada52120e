"""Who takes part in the demonstration, as `config/demo/federation.toml` says it, and what each Party has in its books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from federation.errors import InvalidConfiguration
from node.formats.demo_plans import read_demo_plan
from node.formats.patterns import read_pattern_file
from node.formats.trace_files import write_filings
from node.resources import config_folder, patterns_folder
from node.use_cases.demo_data import DemoData, demo_data


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Party.

    Attributes:
        policy: file of its answering policy in `config/demo`; None lets an officer answer everything.
        answered_by: the region that answers for it, so that it runs no node.
        is_region: it answers for others.
    """

    party: str
    name: str
    policy: str | None = None
    answered_by: str | None = None
    is_region: bool = False


class Cast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        domain: the treaty's DNS domain.
        seed: of the invented data.
        first_witnesses: Parties whose nodes cosign the directory from the start.
    """

    domain: str
    seed: str
    first_witnesses: tuple[str, ...]
    parties: tuple[Member, ...]

    @property
    def nodes(self) -> tuple[Member, ...]:
        """The Parties that run a node."""
        return tuple(member for member in self.parties if member.answered_by is None)

    def member(self, party: str) -> Member:
        """One Party by its letters."""
        return next(member for member in self.parties if member.party == party)

    def answers_for(self, party: str) -> tuple[str, ...]:
        """A Party and the members that it answers for; its own books come last, because they say how complete all of them are."""
        return (*(member.party for member in self.parties if member.answered_by == party), party)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What every Party's system has reported, invented.

    Attributes:
        by_party: with the codes that the story is about, by name.
    """

    by_party: Mapping[str, DemoData]

    def code(self, party: str, showcase: str) -> str:
        """The code of a named story, such as `pack-sold`."""
        return self.by_party[party].showcases[showcase]

    def write(self, parties: tuple[str, ...], path: Path) -> None:
        """Write what some Parties have reported into one file for `gsp party load`."""
        with path.open("wb") as file:
            for party in parties:
                file.writelines(write_filings(self.by_party[party].filings()))


def read_cast() -> Cast:
    """Read who takes part.

    Raises:
        InvalidConfiguration: the file is missing or wrong.
    """
    path = config_folder() / "demo" / "federation.toml"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Cast)
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidConfiguration(f"{path.name} cannot be read: {error}") from error


def invent_books(cast: Cast, *, now: int) -> Books:
    """Invent what the Parties' systems have reported up to now."""
    plan = read_demo_plan((config_folder() / "demo" / "trace.toml").read_text(encoding="utf-8"))
    data = {
        member.party: demo_data(
            plan, read_pattern_file(pattern_file(member.party).read_text(encoding="utf-8")), seed=cast.seed.encode(), now=now
        )
        for member in cast.parties
    }
    return Books(by_party=data)


def pattern_file(party: str) -> Path:
    """Where a Party's patterns are described."""
    return patterns_folder() / f"demo-{party}.toml"


def policy_file(name: str) -> Path:
    """Where a policy of the demonstration is."""
    return config_folder() / "demo" / name
