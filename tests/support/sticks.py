"""Carrying files between simulated nodes, as an administrator does it with the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from federation.boundary.parcels import open_parcel
from federation.delivery.parcel import Parcel
from federation.identity import OfficerName
from node import limits as node_limits
from node.use_cases.carrying_values import Exported, Fate, Outcome, Step
from node.use_cases.parcels import Parcels
from tests.support.simulated_node import SimNode


@dataclass(frozen=True)
class Brought:
    """What became of a file that was imported.

    Attributes:
        back: the file that goes back.
    """

    steps: tuple[Step, ...]
    back: Exported

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome for step in self.steps for outcome in step.outcomes)

    @property
    def fates(self) -> list[Fate]:
        return [outcome.fate for outcome in self.outcomes]


async def export(node: SimNode, to: SimNode) -> Exported:
    """`gsp outbox export`."""
    return await _parcels(node).export_parcel(administrator(node), to.party)


async def bring(node: SimNode, file: bytes, *, parts: Sequence[int] = ()) -> Brought:
    """`gsp inbox import --reply`, the file in pieces that end at these places, or in one."""
    parcels, officer, digest = _parcels(node), administrator(node), sha256(file).digest()
    ends = [*parts, len(file)]
    for start, end in zip([0, *ends], ends, strict=False):
        await parcels.put_parcel(officer, digest=digest, size=len(file), offset=start, part=file[start:end])
    steps = [await parcels.take_parcel(officer, digest=digest, start=0)]
    while steps[-1].done < steps[-1].total:
        steps.append(await parcels.take_parcel(officer, digest=digest, start=steps[-1].done))
    assert all(len(step.outcomes) <= node_limits.PARCEL_ITEMS_PER_CALL for step in steps)
    return Brought(tuple(steps), await parcels.reply_parcel(officer, digest=digest))


def content(file: bytes) -> Parcel:
    """What is in a file, nothing verified."""
    return open_parcel(file).parcel


def administrator(node: SimNode) -> OfficerName:
    return node.kit.officers[0].name


def _parcels(node: SimNode) -> Parcels:
    assert node.participant is not None
    return node.participant.parcels
