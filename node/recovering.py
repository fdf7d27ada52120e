"""Recovery: a Party that lost its keys makes new ones on its own machine, asks for them, and goes on when they count.

    begin    keystore, node.toml and the request for founders; nothing of the network is needed
    finish   once the directory gives the Party the new keys: the replica, the node's entry, a first officer

What the lost keys opened is lost: records of what crossed are sealed under them, and are with the other Parties. The journal that they
hold receipts of must not be contradicted, so the new home is marked like one that was put back from a backup (adr/0015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from federation.errors import Conflict, NotFound
from federation.identity import PartyId
from federation.trust.issuing import Authority, make_successor_ca
from federation.trust.keys import SoftwareSigner
from federation.trust.roster import PartyRecord, Roster
from node.config import NodeSettings, read_node_settings, write_settings
from node.formats.ceremony import RecoveryFile, encode_file, read_file
from node.formats.particulars import own_particulars
from node.joining import Joined, announce_settings, first_officer, read_sets
from node.keystore import PIN, Cost, Custody, Keystore, replace_file
from node.line import Start, following
from node.restored import Restored, read_mark, write_mark
from node.use_cases.announcing import Patience
from node.use_cases.founding import SEED_BYTES
from node.use_cases.verified_log import DirectoryView
from node.use_cases.world import World

REQUEST = "recovery.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovering:
    """What a Party recovers with.

    Attributes:
        home: a new folder.
        settings: of the lost home; its `node.toml` is no secret.
        pin: of the token that the settings name; None without one.
        reason: for everybody to read in the directory.
        show_next_key: called once with the seed of the next Party key, in hexadecimal.
    """

    home: Path
    settings: NodeSettings
    passphrase: bytes = field(repr=False)
    cost: Cost
    pin: bytes | None = field(default=None, repr=False)
    reason: str
    show_next_key: Callable[[str], None]


def begin(wanted: Recovering, world: World) -> Path:
    """Make every key anew and write the request for the founders. The same again gives the same request.

    Raises:
        Conflict: the folder belongs to a node that has its keys.
    """
    home, path = wanted.home, wanted.home / REQUEST
    if path.exists():
        return path
    # An interrupted try of this has its mark and no directory; it goes on.
    if (home / "directory.sqlite").exists() or ((home / "node.toml").exists() and read_mark(home) is None):
        raise Conflict(f"{home} holds a node already", hint="recover into an empty folder; the old one may still be of use")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    keystore = _keystore(wanted, world)
    with Custody.open(keystore, owner=wanted.settings.party, token=wanted.settings.pkcs11) as custody:
        for name in ("party", "ca", "signing"):
            custody.make(name, world.entropy)
        next_seed = world.entropy(SEED_BYTES)
        wanted.show_next_key(next_seed.hex())
        request = RecoveryFile(
            party=wanted.settings.party,
            party_key=custody.signer("party").public_key.hex(),
            next_key_hash=sha256(SoftwareSigner(next_seed).public_key).hexdigest(),
            party_ca=make_successor_ca(
                key=custody.authority_key("ca"),
                party=wanted.settings.party_id,
                domain=wanted.settings.domain,
                now=world.now(),
                entropy=world.entropy,
            ).hex(),
            reason=wanted.reason,
        )
    if read_mark(home) is None:
        write_mark(home, Restored(at=world.now(), taken=0))
    read_sets(home, wanted.settings)  # a file that is missing shows now, and not in two weeks
    write_settings(home / "node.toml", wanted.settings)
    replace_file(path, encode_file(request))
    return path


def _keystore(wanted: Recovering, world: World) -> Keystore:
    """Of an interrupted try, or a new one."""
    path = wanted.home / "keystore"
    if path.exists():
        keystore = Keystore.open(path, wanted.passphrase)
    else:
        keystore = Keystore.create(path, wanted.passphrase, world.entropy, cost=wanted.cost)
    if wanted.pin is not None:
        keystore.put(PIN, wanted.pin, replace=True)
    if "storage" not in keystore.names():
        keystore.put("storage", world.entropy(SEED_BYTES))
    return keystore


async def finish(
    home: Path, passphrase: bytes, view: DirectoryView, *, wait_s: float, tell: Callable[[str], None], world: World
) -> Joined:
    """Go on with the new keys, when the directory gives them to the Party.

    Args:
        home: as `begin` left it.
        passphrase: of its keystore.
        view: a directory that was verified by the digest in the settings.
        wait_s: how long to wait for witnesses.
        tell: called with each step in words.
        world: clock and entropy.

    Raises:
        NotFound: nothing was begun here, or the directory does not list the Party.
        Conflict: the new keys do not count yet.
    """
    if not (home / REQUEST).exists():
        raise NotFound(f"{home} holds no recovery", hint="begin with `gsp party recover begin`")
    settings, request = read_node_settings(home / "node.toml"), read_file(home / REQUEST, RecoveryFile)
    keystore = Keystore.open(home / "keystore", passphrase)
    with Custody.open(keystore, owner=settings.party, token=settings.pkcs11) as custody:
        author = custody.signer("party")
        require_recovered(view.roster, settings.party_id, author.public_key)
        ca = Authority(certificate=bytes.fromhex(request.party_ca), key=custody.authority_key("ca"))
        start = Start(first_leaf=view.leaves[0], secretariat_ca=view.roster.governance.secretariat_cas[-1])
        patience = Patience(wait_s=wait_s, tell=tell)
        says = own_particulars(home, settings, read_sets(home, settings))
        async with following(home, settings, ca, world, start=start, patience=patience) as line:
            record = require_recovered(line.registry.roster, settings.party_id, author.public_key)
            with_node = bool(record.nodes)
            await announce_settings(
                line,
                settings,
                says,
                author=author,
                signing_key=custody.signer("signing").public_key if with_node else None,
                world=world,
                patience=patience,
            )
        return first_officer(settings, ca, world, seen="")


def require_recovered(roster: Roster, party: PartyId, party_key: bytes) -> PartyRecord:
    """The Party's record, when it has this key.

    Raises:
        NotFound: the directory does not list the Party.
        Conflict: the key does not count, or not yet; why, in words.
    """
    record = roster.parties.get(party)
    if record is None:
        raise NotFound(f"the directory does not list {party}", hint="a Party that never joined has nothing to recover")
    if record.party_key == party_key:
        return record
    waiting = next((one for one in roster.recoveries if one.body.party == party and one.body.party_key == party_key), None)
    if waiting is None:
        raise Conflict(
            "the directory knows nothing of these keys yet",
            hint="founders sign the request, this Party signs it too (`gsp party sign`), and the Secretariat logs it",
        )
    raise Conflict(
        f"entry {waiting.index} gives {party} these keys, and {'was vetoed' if waiting.stopped else 'still waits'}",
        hint="talk to the Secretariat"
        if waiting.stopped
        else "`gsp directory show` names the day; then take a newer copy of the log",
    )
