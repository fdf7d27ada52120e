"""What a Party's node stands on before its use cases are made: settings, keys, open files, and who it is to others."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from federation.errors import InvalidConfiguration
from federation.evidence.journal import Epoch
from federation.identity import OfficerName
from federation.query.policy import Policy
from federation.trust.issuing import Authority, issue_officer_certificate
from node.clock import SystemClock
from node.config import NodeSettings, read_node_settings, read_policy
from node.keystore import Custody, Keystore
from node.line import node_name
from node.officers import officers_file
from node.publishing import OwnSets
from node.returning import Mark
from node.rpc.renewal import Identity
from node.store.directory import SqliteDirectory
from node.store.exchange import SqliteExchange
from node.store.officers import SqliteOfficers
from node.store.patterns import SqlitePatterns
from node.store.trace import SqliteTrace
from node.store.vault import Vault
from node.use_cases.own_keys import OwnKeys, Stands
from node.use_cases.personnel import OfficerParts
from node.use_cases.registry import Registry
from node.use_cases.restoring import open_epoch
from node.use_cases.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is there before the use cases: settings, keys and open files."""

    home: Path
    settings: NodeSettings
    custody: Custody
    own_keys: OwnKeys
    world: World
    own_sets: OwnSets
    policy: Policy
    directory: SqliteDirectory
    exchange: SqliteExchange
    patterns: SqlitePatterns
    trace: SqliteTrace
    officers: SqliteOfficers
    vault: Vault
    registry: Registry
    epochs: tuple[Epoch, ...]
    mark: Mark


def read_own_policy(home: Path, settings: NodeSettings) -> Policy:
    """The answering policy that the settings name; by hand without one."""
    return read_policy(home / settings.policy) if settings.policy is not None else Policy()


def read_settings(home: Path) -> NodeSettings:
    """The settings in the folder.

    Raises:
        InvalidConfiguration: there are none, or they are wrong.
    """
    if not (home / "node.toml").exists():
        raise InvalidConfiguration(f"{home} holds no node", hint="join first: `gsp party join CODE --home FOLDER`")
    return read_node_settings(home / "node.toml")


async def lay_ground(stack: AsyncExitStack, home: Path, passphrase: bytes, stands: Stands) -> Ground:
    settings = read_settings(home)
    world = World(clock=SystemClock(), entropy=secrets.token_bytes)
    keystore = Keystore.open(home / "keystore", passphrase)
    custody = stack.enter_context(Custody.open(keystore, owner=settings.party, token=settings.pkcs11))
    vault = Vault(keystore.get("storage"), entropy=world.entropy)
    directory = await stack.enter_async_context(SqliteDirectory.open(home / "directory.sqlite"))
    exchange = await stack.enter_async_context(SqliteExchange.open(home / "exchange.sqlite", vault=vault))
    mark = Mark.in_home(home)
    registry = await Registry.load(directory, bytes.fromhex(settings.genesis), world.clock)
    if mark.is_open:
        await directory.mark_restored(restored=True)  # it cosigns nothing until enough others show the same directory
    return Ground(
        home=home,
        settings=settings,
        custody=custody,
        own_keys=OwnKeys(party=settings.party_id, registry=registry, clock=world.clock, source=custody, stands=stands),
        world=world,
        own_sets=OwnSets(home, settings),
        policy=read_own_policy(home, settings),
        directory=directory,
        exchange=exchange,
        patterns=await stack.enter_async_context(SqlitePatterns.open(home / "patterns.sqlite")),
        trace=await stack.enter_async_context(SqliteTrace.open(home / "trace.sqlite")),
        officers=await stack.enter_async_context(SqliteOfficers.open(officers_file(home), vault=vault)),
        vault=vault,
        registry=registry,
        epochs=await open_epoch(exchange, exchange, own=settings.party_id, world=world, returned=mark.returned),
        mark=mark,
    )


def own_ca(ground: Ground) -> Authority:
    """The CA that issues now; what the command line made or gave up since the last look counts."""
    ground.own_keys.refresh()
    return ground.own_keys.ca()


def desk_ca(ground: Ground) -> Authority:
    """The CA under which officers find the desk."""
    ground.own_keys.refresh()
    return ground.own_keys.desk_ca()


def standing_cas(ground: Ground) -> Sequence[bytes]:
    return ground.registry.roster.anchors().get(ground.settings.party_id, ())


def officer_parts(ground: Ground) -> OfficerParts:
    world = ground.world

    def certify(public_key: bytes, name: OfficerName, life_s: int) -> bytes:
        return issue_officer_certificate(
            public_key, name=name, ca=own_ca(ground), now=world.now(), entropy=world.entropy, life_s=life_s
        )

    return OfficerParts(
        store=ground.officers,
        certify=certify,
        party_cas=lambda: standing_cas(ground),
        four_eyes=ground.settings.four_eyes,
    )


def identity_of(ground: Ground, ca: Callable[[Ground], Authority]) -> Identity:
    return Identity(
        world=ground.world,
        ca=lambda: ca(ground),
        name=node_name(ground.settings),
        anchors=ground.registry.roster.anchors(),
    )
