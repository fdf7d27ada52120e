"""What a Party says of itself in the directory, from the files of its administrator: settings, pattern set, profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from federation.errors import InvalidConfiguration
from federation.identity import PartyId
from federation.trust.entries import Administrator, Authority, Contact
from federation.uim.pattern import PatternSet
from federation.wire.patterns import encode_pattern_set
from node.config import MemberFile, NodeSettings, read_member_file
from node.formats.patterns import read_own_set
from node.formats.trace_profile import read_trace_profile
from node.use_cases.announcing import NOTHING, Particulars, Pin
from node.use_cases.library import pattern_set_digest


def own_particulars(home: Path, settings: NodeSettings, sets: Sequence[PatternSet]) -> Particulars:
    """What the settings of a node say of its Party. What they do not name, the Party does not have.

    Raises:
        InvalidConfiguration: the profile cannot be read.
    """
    own = next((one for one in sets if one.party == settings.party), None)
    return _particulars(
        settings,
        region=settings.region,
        patterns=_pin(own) if own is not None else NOTHING,
        profile=_profile(home, settings.profile) or NOTHING,
    )


def member_particulars(path: Path, member: PartyId) -> Particulars:
    """What a region writes of a member. Sets and profiles that the file does not name stay as they stand.

    Raises:
        InvalidConfiguration: the file, or one that it names, cannot be read, or the set is another Party's.
    """
    file = read_member_file(path)
    own = read_own_set(path.parent / file.patterns) if file.patterns is not None else None
    if own is not None and own.party != member:
        raise InvalidConfiguration(f"{path.name} names the pattern set of {own.party}", hint=f"name the set of {member}")
    return _particulars(
        file,
        region=False,
        patterns=_pin(own) if own is not None else None,
        profile=_profile(path.parent, file.profile),
    )


def _particulars(said: NodeSettings | MemberFile, *, region: bool, patterns: Pin | None, profile: Pin | None) -> Particulars:
    return Particulars(
        name=said.name,
        region=region,
        pilot=said.pilot,
        authorities=tuple(Authority(kind=one.kind, name=one.name) for one in said.authorities),
        contacts=tuple(Contact(name=one.name, address=one.address) for one in said.contacts),
        administrators=tuple(Administrator(kind=one.kind, name=one.name, address=one.address) for one in said.administrators),
        patterns=patterns,
        profile=profile,
    )


def _pin(pattern_set: PatternSet) -> Pin:
    return Pin(version=pattern_set.version, digest=pattern_set_digest(encode_pattern_set(pattern_set)))


def _profile(folder: Path, name: str | None) -> Pin | None:
    if name is None:
        return None
    profile = read_trace_profile(folder / name)
    return Pin(version=profile.version, digest=profile.digest)
