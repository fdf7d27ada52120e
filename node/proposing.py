"""What the Secretariat proposes to the founders: entries with the right next number, laid into `pending/` for signatures.

It needs no running node: the number comes from what the node last wrote into `status.json` and from what waits already. A number that
somebody else took meanwhile is refused by the log, and the proposal is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from federation.boundary.directory import KIND_OF, sign_body
from federation.errors import Conflict, Overloaded
from federation.trust.certificate import read_issuing_ca
from federation.trust.entries import EntryBody, EntryKind, RotateIssuer, RotateLog
from federation.trust.issuing import Authority, issue_party_ca, make_request
from federation.wire.directory import decode_signed_entry, encode_entry_body
from node.ceremony import Prepared, write_root_request
from node.config import read_secretariat_settings
from node.formats.ceremony import IssuingFile, read_bytes, read_entry, read_file
from node.formats.standing import StatusFile, read_status
from node.keystore import Custody, Keystore, replace_file
from node.limits import PENDING_ENTRIES_MAX
from node.store.tray import Signed, Tray
from node.treaty_keys import first_held, next_ca_name, next_log_key
from node.use_cases.founders import read_aloud
from node.use_cases.founding import read_genesis_body
from node.use_cases.world import World

Draw = Callable[[int], EntryBody]
"""Makes a body with the number that it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """An entry that waits now.

    Attributes:
        digits: for reading aloud.
        needed: how many founders have to sign.
    """

    path: Path
    digits: str
    needed: int


def last_known(home: Path) -> StatusFile:
    """What the node last knew.

    Raises:
        NotFound: it has never run.
    """
    return read_status(home / "status.json")


def propose(home: Path, draw: Draw) -> Proposed:
    """Lay an entry out for signatures. The same entry again is given back as it lies there.

    Raises:
        NotFound: the node has never run.
        Overloaded: too many entries wait.
    """
    status, folder = last_known(home), home / "pending"
    waiting = [path for path in folder.iterdir() if path.suffix.removeprefix(".") in set(KIND_OF.values())]
    if len(waiting) >= PENDING_ENTRIES_MAX:
        raise Overloaded("too many entries wait for founders", hint="take some out of the folder `pending`")
    serials = [status.serial, *(getattr(read_entry(path).value, "serial", 0) for path in waiting if path.suffix != ".admit")]
    value = draw(max(serials) + 1)
    kind = KIND_OF[type(value)]
    number = getattr(value, "serial", None) or getattr(value, "recover_index", 0)
    party = getattr(value, "party", None)
    name = f"{number:04}-{kind}{f'-{party}' if party is not None else ''}.{kind}"
    body = encode_entry_body(value)
    replace_file(folder / name, body)
    return Proposed(path=folder / name, digits=read_aloud(kind, body), needed=status.threshold)


@contextmanager
def custody_of(home: Path, keystore: Keystore) -> Iterator[Custody]:
    """The Secretariat's keys, in its keystore or in the token that its settings name."""
    settings = read_secretariat_settings(home / "secretariat.toml")
    with Custody.open(keystore, owner="secretariat", token=settings.pkcs11) as custody:
        yield custody


def propose_log_key(home: Path, custody: Custody, *, world: World) -> Proposed:
    """Make the next log key, propose it, and sign the proposal with it."""
    signer = next_log_key(custody, listed=bytes.fromhex(last_known(home).log_key), world=world)
    proposed = propose(home, lambda serial: RotateLog(created=world.now(), serial=serial, log_key=signer.public_key))
    entry = read_entry(proposed.path)
    signature = sign_body(EntryKind.ROTATE_LOG, entry.body, signer)
    Tray(home / "tray").put(Signed(kind=entry.kind, entry=entry.digest, signature=signature))
    return proposed


def request_issuer(home: Path, custody: Custody, *, world: World) -> Prepared:
    """Make the next issuing key, and the request with which the root signs a CA for it."""
    status = last_known(home)
    name = next_ca_name(custody, "issuing", listed=bytes.fromhex(status.issuing_ca), world=world)
    return write_root_request(home / "ceremony" / f"{name}.request", domain=status.domain, key=custody.authority_key(name))


def propose_issuer(home: Path, custody: Custody, *, signed: Path | None, own_ca: bool, retire: bool, world: World) -> Proposed:
    """Propose another issuing CA, another CA of the Secretariat's own, or the end of the former ones.

    Args:
        home: the Secretariat's folder.
        custody: its keys.
        signed: what the root signed; None keeps the issuing CA.
        own_ca: make a new CA for the Secretariat's own node; a new issuing CA always brings one.
        retire: the former ones end with this entry.
        world: clock and entropy.

    Raises:
        Conflict: the root signed another key than the one that waits here, or nothing would change.
        Unauthentic: the root did not sign it.
    """
    status = last_known(home)
    standing = bytes.fromhex(status.issuing_ca)
    issuing = _issuing(home, signed, standing, now=world.now())
    if signed is None and not own_ca and not retire:
        raise Conflict("nothing would change", hint="give what the root signed, or --own-ca, or --retire")
    ca = bytes.fromhex(status.secretariat_ca)
    if issuing != standing or own_ca:
        name = next_ca_name(custody, "ca", listed=ca, world=world)
        issuer = first_held(custody, "issuing", [issuing])
        ca = _own_ca(issuer, custody.authority_key(name), status.domain, world)
    return propose(
        home,
        lambda serial: RotateIssuer(
            created=world.now(), serial=serial, issuing_ca=issuing, secretariat_ca=ca, retire_former=retire
        ),
    )


def _issuing(home: Path, signed: Path | None, standing: bytes, *, now: int) -> bytes:
    if signed is None:
        return standing
    file = read_file(signed, IssuingFile)
    genesis = read_genesis_body(decode_signed_entry(read_bytes(home / "genesis.leaf")).body)
    der = bytes.fromhex(file.issuing_ca)
    read_issuing_ca(der, root=genesis.root_certificate, domain=genesis.domain, now=now)
    return der


def _own_ca(issuer: Authority, key: EllipticCurvePrivateKey, domain: str, world: World) -> bytes:
    request = make_request(key)
    return issue_party_ca(request, party=None, issuer=issuer, domain=domain, now=world.now(), entropy=world.entropy)
