"""The Secretariat's node, put together: founding it, and running it for the length of a block.

secretariat.toml    settings
genesis.leaf        the directory's first entry, for the printed sheet
keystore            issuing, CA, join and log keys
directory.sqlite    the log           enrolment.sqlite   invitations and admissions under way
certificates/       the join port's certificate; the first issuing CA and own CA, to look at
ceremony/           what the founding ceremony left: plan, request to the root, genesis entry
take-away/          after `init` alone: root and founders' keys, to be moved off this machine at once
tray/, pending/, status.json    see `node.office`
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from federation.boundary.directory import Replica, genesis_digest, open_genesis, sign_checkpoint
from federation.errors import Conflict, FederationError
from federation.identity import PartyId
from federation.ports import Entropy
from federation.trust.certificate import from_pem, to_pem
from federation.trust.chain import load_certificate, window_of
from federation.trust.enrolment import token_hash
from federation.trust.issuing import Authority, key_from_seed, key_to_pem
from federation.trust.join_code import JoinCode, encode_join_code
from federation.trust.keys import SoftwareSigner
from node import limits
from node.ceremony import assemble
from node.clock import SystemClock
from node.config import SecretariatSettings, read_secretariat_settings, write_settings
from node.keystore import Cost, Custody, Keystore, replace_file
from node.office import Office
from node.returning import Mark
from node.rpc.channels import Channels
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.enrolment import EnrolmentServicer
from node.rpc.interceptors import join_chain, node_chain
from node.rpc.renewal import Identity
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.store.directory import SqliteDirectory
from node.store.enrolment import SqliteEnrolments
from node.store.tray import Invite, Tray
from node.treaty_keys import issuer_of, issuing_authority, own_authority
from node.use_cases.founding import Founded, found, make_join_certificate, secretariat_name
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from node.use_cases.secretariat import Admissions
from node.use_cases.world import World

logger = logging.getLogger(__name__)

RETURN_LOOK_S = 1.0
"""How often a Secretariat that was put back asks the Parties' nodes: people wait for admissions."""

_CERTIFICATES = ("issuing-ca", "ca", "join")
_SECRETS = ("issuing", "log", "ca", "join")


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """What `gsp secretariat init` tells.

    Attributes:
        genesis: digest in hexadecimal; log_key: in hexadecimal.
        take_away: folder with the keys that have to leave this machine.
    """

    genesis: str
    log_key: str
    take_away: Path


async def initialise(
    home: Path, *, settings: SecretariatSettings, passphrase: bytes, founders: int, threshold: int, world: World, cost: Cost
) -> Initialised:
    """Found a treaty in an empty folder, with every key made in this process: for trying out. `settings.genesis` is filled in here.

    Raises:
        Conflict: the folder holds a Secretariat already.
    """
    if (home / "secretariat.toml").exists():
        raise Conflict(f"{home} holds a Secretariat already", hint="choose an empty folder")
    for name in ("certificates", "take-away", "tray", "pending"):
        (home / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    founded = found(world, domain=settings.domain, founders=founders, threshold=threshold)
    keystore = Keystore.create(home / "keystore", passphrase, world.entropy, cost=cost)
    for name, seed in zip(_SECRETS, (founded.issuing_seed, founded.log_seed, founded.ca_seed, founded.join_seed), strict=True):
        keystore.put(name, seed)
    for name, der in zip(_CERTIFICATES, (founded.issuing_ca, founded.ca, founded.join_certificate), strict=True):
        (home / "certificates" / f"{name}.pem").write_bytes(to_pem(der))
    _write_take_away(home / "take-away", founded)
    await _begin(home, settings, founded.genesis_leaf, SoftwareSigner(founded.log_seed))
    log_key = SoftwareSigner(founded.log_seed).public_key
    return Initialised(genesis=founded.digest.hex(), log_key=log_key.hex(), take_away=home / "take-away")


def _write_take_away(folder: Path, founded: Founded) -> None:
    seeds = {"root.key": founded.root_seed}
    seeds |= {f"founder-{number}.key": seed for number, seed in enumerate(founded.founder_seeds, start=1)}
    for name, seed in seeds.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(seed.hex() + "\n")


async def found_treaty(home: Path, passphrase: bytes, signatures: Iterable[Path], *, world: World) -> str:
    """Begin the directory after a ceremony: every founder has signed. Gives the genesis digest; a repetition gives it again.

    Raises:
        As `node.ceremony.assemble`.
    """
    assembled = assemble(home, passphrase, signatures)
    plan, path = assembled.plan, home / "certificates" / "join.pem"
    if not path.exists():
        ca = Authority(certificate=assembled.ca, key=key_from_seed(assembled.seeds.ca))
        replace_file(path, to_pem(make_join_certificate(world, ca, assembled.seeds.join, domain=plan.domain)))
    settings = SecretariatSettings(
        domain=plan.domain,
        genesis="0" * 64,
        listen=plan.listen,
        public=plan.public,
        join=plan.join,
        public_join=plan.public_join,
    )
    if (home / "secretariat.toml").exists():
        return read_settings(home).genesis
    return await _begin(home, settings, assembled.leaf, SoftwareSigner(assembled.seeds.log))


async def _begin(home: Path, settings: SecretariatSettings, leaf: bytes, signer: SoftwareSigner) -> str:
    """The log with its first entry, and last of all the settings that say that there is a Secretariat."""
    digest = genesis_digest(leaf)
    replica: Replica = open_genesis(leaf, digest)
    checkpoint = sign_checkpoint(replica.genesis.origin, replica.frontier, signer)
    async with SqliteDirectory.open(home / "directory.sqlite") as store:
        await store.append(first=0, leaves=[leaf], checkpoint=checkpoint)
    replace_file(home / "genesis.leaf", leaf)
    write_settings(home / "secretariat.toml", msgspec.structs.replace(settings, genesis=digest.hex()))
    return digest.hex()


def read_settings(home: Path) -> SecretariatSettings:
    """The settings in the folder."""
    return read_secretariat_settings(home / "secretariat.toml")


def invite(home: Path, party: PartyId, *, entropy: Entropy, now: float, anew: bool = False) -> str:
    """Lay an invitation into the tray and give the join code. The token is in the code alone; its hash is in the tray.

    Args:
        home: the Secretariat's folder.
        party: who is invited.
        entropy: for the token.
        now: Unix seconds.
        anew: give up what was begun with an earlier code.
    """
    settings = read_settings(home)
    token = entropy(16)
    leaf = from_pem((home / "certificates" / "join.pem").read_bytes())
    Tray(home / "tray").put(Invite(party=party, token_hash=token_hash(token, party), created=int(now), anew=anew))
    code = JoinCode(address=settings.join_endpoint, party=party, token=token, leaf_sha256=sha256(leaf).digest())
    return encode_join_code(code)


@asynccontextmanager
async def running(home: Path, passphrase: bytes) -> AsyncIterator[SecretariatSettings]:
    """Run the Secretariat's node until the block ends."""
    settings = read_settings(home)
    world = World(clock=SystemClock(), entropy=secrets.token_bytes)
    keystore = Keystore.open(home / "keystore", passphrase)
    async with AsyncExitStack() as stack:
        custody = stack.enter_context(Custody.open(keystore, owner="secretariat", token=settings.pkcs11))
        directory = await stack.enter_async_context(SqliteDirectory.open(home / "directory.sqlite"))
        enrolments = await stack.enter_async_context(SqliteEnrolments.open(home / "enrolment.sqlite"))
        published = await directory.published()
        registry = await Registry.load(directory, bytes.fromhex(settings.genesis), world.clock, published=published)
        identity = _identity(custody, settings, registry, world)
        await _come_back(home, registry, identity, world)
        signer, *further = custody.signers("log")
        log = await Log.load(registry=registry, publications=directory, signer=signer, further=further)
        notices = await Notices.load(registry, directory, world.clock)
        admissions = Admissions(
            world=world,
            registry=registry,
            log=log,
            store=enrolments,
            issuer=lambda: issuing_authority(_fresh(custody), registry.roster),
            directory_endpoint=settings.endpoint,
            genesis_leaf=(await directory.leaves(0, 1))[0],
            node_ca=lambda: _node_ca(identity, registry, world),
        )
        office = Office(
            home,
            genesis=bytes.fromhex(settings.genesis),
            registry=registry,
            log=log,
            admissions=admissions,
            store=enrolments,
            log_keys=lambda: _fresh(custody).signers("log"),
        )
        join = _join_credential(home, keystore, own_authority(custody, registry.roster, now=world.now()), world)
        await stack.enter_async_context(
            _serving(settings, join, identity=identity, log=log, notices=notices, admissions=admissions)
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            group.create_task(identity.run(None)),
            group.create_task(office.run()),
        ]
        try:
            yield settings
        finally:
            for task in tasks:
                task.cancel()


def _identity(custody: Custody, settings: SecretariatSettings, registry: Registry, world: World) -> Identity:
    """Its TLS certificate, which follows the directory: when the founders end a CA, the next one serves."""
    identity = Identity(
        world=world,
        ca=lambda: own_authority(_fresh(custody), registry.roster, now=world.now()),
        name=secretariat_name(settings.domain),
        anchors=registry.roster.anchors(),
    )
    registry.on_change(identity.trust)
    return identity


@asynccontextmanager
async def _serving(
    settings: SecretariatSettings,
    join: NodeCredential,
    *,
    identity: Identity,
    log: Log,
    notices: Notices,
    admissions: Admissions,
) -> AsyncIterator[None]:
    """Both ports: nodes with certificates, and joining Parties without one."""
    join_tls = ServerTls(TlsSnapshot(credential=join, anchors={}, domain=settings.domain))
    clock = SystemClock()
    async with (
        serving(
            settings.listen,
            credentials=identity.tls.node_credentials(),
            routes=DirectoryServicer(log, notices).routes(),
            interceptors=node_chain(tls=identity.tls, clock=clock, timer=time.monotonic),
        ),
        serving(
            settings.join,
            credentials=join_tls.guest_credentials(),
            routes=EnrolmentServicer(admissions).routes(),
            interceptors=join_chain(timer=time.monotonic),
        ),
    ):
        yield


def _fresh(custody: Custody) -> Custody:
    """With the keys that the command line has made since: a successor is made beside the running node."""
    with suppress(FederationError):  # a file that cannot be read now: what is in memory serves on
        custody.reload()
    return custody


def _node_ca(identity: Identity, registry: Registry, world: World) -> tuple[bytes, bytes]:
    """The CA of the certificate that is shown now and whoever issued it, when a newcomer cannot know them from the genesis entry."""
    if identity.issuer == registry.roster.genesis.secretariat_ca:
        return b"", b""
    return identity.issuer, issuer_of(registry.roster, identity.issuer, now=world.now())


def _join_credential(home: Path, keystore: Keystore, ca: Authority, world: World) -> NodeCredential:
    """The join port's own pair, which outlives restarts because join codes name it. Near its end a start makes it anew."""
    path, seed = home / "certificates" / "join.pem", keystore.get("join")
    if not path.exists() or _ends_soon(from_pem(path.read_bytes()), world):
        replace_file(path, to_pem(make_join_certificate(world, ca, seed, domain=read_settings(home).domain)))
    return NodeCredential(private_key=key_to_pem(key_from_seed(seed)), certificate=from_pem(path.read_bytes()))


def _ends_soon(certificate: bytes, world: World) -> bool:
    return window_of(load_certificate(certificate)).not_after - world.now() < limits.JOIN_CERTIFICATE_RENEW_S


async def _come_back(home: Path, registry: Registry, identity: Identity, world: World) -> None:
    """After a restore, take over from the Parties' nodes what this one published after its copy was made, until enough of them agree.

    Nothing is served before: what this node logged and forgot stands at the Parties, and another entry in its place would be a lie.
    """
    probation = Mark.in_home(home).probation(registry, None, world.clock)
    if probation is None:
        return
    async with Channels(own=identity.credential, clock=world.clock) as channels:
        while not await probation.look(GrpcDirectory(channels)):
            logger.warning("put back from a backup: nothing is served yet", extra={"size": probation.agreeing})
            await asyncio.sleep(RETURN_LOOK_S)
