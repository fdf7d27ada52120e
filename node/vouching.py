"""A Party's own acts in the directory beside its running node: to confirm another Party, to leave, to say how far it is.

They work beside the node (`node.errand`), which need not stop; it reads the new entry a moment later like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from federation.boundary.directory import compose_entry
from federation.errors import NotFound
from federation.identity import PartyId, party_id
from federation.trust.entries import EntryBody
from federation.trust.fingerprint import fingerprint
from node.config import NodeSettings, read_node_settings
from node.errand import Errand, errand
from node.joining_state import STATE_FILE, read_state
from node.keystore import Keystore
from node.line import Following
from node.store.directory import SqliteDirectory
from node.use_cases.announcing import follow_until
from node.use_cases.registry import Registry
from node.use_cases.standing import Standing, listed
from node.use_cases.vouching import confirm_admission, leave
from node.use_cases.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Another Party, and the fingerprint that a person of it read aloud."""

    subject: PartyId
    claimed: str


async def _submit(party: Errand, line: Following, bodies: Iterable[EntryBody]) -> int:
    """Hand entries in; gives the place of the last one."""
    signer = party.author()
    return max([await line.service.submit(line.secretariat, compose_entry(body, [signer])) for body in bodies], default=-1)


async def confirm(home: Path, keystore: Keystore, checks: Iterable[Check], *, world: World) -> tuple[Standing, ...]:
    """Vouch for other Parties whose fingerprints were read aloud; gives how they stand now. Nothing is written when one is wrong.

    Raises:
        As `confirm_admission`.
        Unreachable: the Secretariat does not answer.
    """
    settings = read_node_settings(home / "node.toml")
    async with errand(home, settings, keystore, world) as party, party.line() as line:
        await line.registry.follow(line.service, line.secretariat)
        roster, own = line.registry.roster, settings.party_id
        wanted = [(one.subject, one.claimed) for one in checks]
        bodies = [confirm_admission(roster, own, subject, claimed=claimed, now=world.now()) for subject, claimed in wanted]
        last = await _submit(party, line, [body for body in bodies if body is not None])
        await follow_until(line.registry, line.service, line.secretariat, size=last + 1)
        after = line.registry.roster
        return tuple(listed(after, subject, after.party(subject)) for subject, _ in wanted)


async def withdraw(home: Path, keystore: Keystore, *, world: World) -> PartyId:
    """Leave the federation.

    Raises:
        Conflict: this Party has left already.
        Unreachable: the Secretariat does not answer.
    """
    settings = read_node_settings(home / "node.toml")
    async with errand(home, settings, keystore, world) as party, party.line() as line:
        await line.registry.follow(line.service, line.secretariat)
        await _submit(party, line, [leave(line.registry.roster, settings.party_id, now=world.now())])
    return settings.party_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStanding:
    """How far this Party is, as far as it knows.

    Attributes:
        since: Unix seconds at which it came to this step; 0 when that is not known.
        has_settings: whether joining is finished, so that the node can run.
    """

    standing: Standing
    since: int
    has_settings: bool


async def own_standing(home: Path, *, world: World) -> OwnStanding:
    """What this Party knows of itself, with the Secretariat or without.

    Raises:
        NotFound: nobody has begun to join here.
    """
    settings_path = home / "node.toml"
    if settings_path.exists() and (home / "directory.sqlite").exists():
        return await _from_directory(home, read_node_settings(settings_path), world)
    if not (home / STATE_FILE).exists():
        raise NotFound(f"nobody has begun to join in {home}", hint="`gsp party join CODE` with the code of the Secretariat")
    state = read_state(home)
    standing = Standing(
        party=party_id(state.party),
        step=state.step,
        fingerprint=fingerprint(bytes.fromhex(state.admit_body)) if state.admit_body else "",
        founders_signed=state.founders_signed,
        founders_needed=state.founders_needed,
    )
    return OwnStanding(standing=standing, since=state.since, has_settings=False)


async def _from_directory(home: Path, settings: NodeSettings, world: World) -> OwnStanding:
    async with SqliteDirectory.beside(home / "directory.sqlite") as store:
        registry = await Registry.load(store, bytes.fromhex(settings.genesis), world.clock)
    record = registry.roster.party(settings.party_id)
    standing = listed(registry.roster, settings.party_id, record)
    return OwnStanding(standing=standing, since=record.admit.created, has_settings=True)
