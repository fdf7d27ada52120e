"""The founding ceremony with files: each key holder works on a machine of the own, and files are carried between them.

a founder's home       keystore with `founder`; founder.json for the Secretariat
the root's home        keystore with `root`; root.pem; a copy of each file that it gave, named after the request
the Secretariat's home keystore; ceremony/plan.json, ceremony/issuing.request, ceremony/treaty.genesis; certificates/

Every step may be repeated and gives the same files again. What has been signed is never made anew: once the genesis entry lies
there, it is the one, because founders may have signed it already.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from federation.errors import Conflict, Forbidden, InvalidInput, NotFound
from federation.trust import note
from federation.trust.certificate import from_pem, to_pem
from federation.trust.entries import EntryKind, Genesis, Recover
from federation.trust.fingerprint import digits_of
from federation.trust.issuing import Authority, key_from_seed, make_request, root_key_from_seed
from federation.trust.keys import Signer, SoftwareSigner
from federation.trust.note import Note
from federation.trust.witness import founder_name_of
from node.formats.ceremony import (
    FounderFile,
    IssuingFile,
    PlanFile,
    RootRequestFile,
    WaitingEntry,
    check_plan,
    encode_file,
    encode_signature,
    parse_file,
    read_bytes,
    read_entry,
    read_file,
    read_signature,
    signature_name,
)
from node.keystore import Cost, Keystore, replace_file
from node.use_cases.founders import digits_of_file, require_same, sign_as_founder, sign_as_party
from node.use_cases.founding import (
    SEED_BYTES,
    Plan,
    SecretariatSeeds,
    assemble_genesis,
    draft_genesis,
    make_secretariat_seeds,
    root_authority,
    sign_issuing_ca,
)
from node.use_cases.world import World

GENESIS_FILE = "treaty.genesis"
_SECRETARIAT_KEYS = ("issuing", "log", "ca", "join")


def _keystore(home: Path, passphrase: bytes, world: World, cost: Cost) -> Keystore:
    """The keystore in a folder of which only the owner sees anything."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "keystore"
    return Keystore.open(path, passphrase) if path.exists() else Keystore.create(path, passphrase, world.entropy, cost=cost)


def key_digits(public_key: bytes) -> str:
    """A founder's or a log's key as people read it aloud: the SHA-256 of its 32 bytes."""
    return digits_of(sha256(public_key).digest())


# --- a founder -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FounderMade:
    """A founder's public half.

    Attributes:
        file: to be given to the Secretariat.
    """

    public_key: bytes
    file: Path


def new_founder(home: Path, passphrase: bytes, *, world: World, cost: Cost) -> FounderMade:
    """Make a founder's key, or show the one that lies there."""
    keystore = _keystore(home, passphrase, world, cost)
    if "founder" not in keystore.names():
        if keystore.names():
            raise Conflict(f"{home} holds other keys than a founder's", hint="choose an empty folder")
        keystore.put("founder", world.entropy(SEED_BYTES))
    public_key = SoftwareSigner(keystore.get("founder")).public_key
    replace_file(home / "founder.json", encode_file(FounderFile(public_key=public_key.hex())))
    return FounderMade(public_key=public_key, file=home / "founder.json")


def founder_signer(home: Path, passphrase: bytes) -> SoftwareSigner:
    """A founder's key.

    Raises:
        NotFound: there is none in that folder.
    """
    return SoftwareSigner(Keystore.open(home / "keystore", passphrase).get("founder"))


def party_signer(signers: Sequence[Signer], entry: WaitingEntry) -> Signer:
    """The Party key with which an entry is signed by hand: for a recovery the new one that it names, else the newest here.

    Args:
        signers: the Party keys that are here, oldest first.
        entry: what is to be signed.

    Raises:
        NotFound: there is none.
    """
    if not signers:
        raise NotFound("no Party key is here")
    wanted = entry.value.party_key if isinstance(entry.value, Recover) else signers[-1].public_key
    return next((one for one in signers if one.public_key == wanted), signers[-1])


def sign_file(path: Path, claimed: str, signer: Signer, *, as_party: bool = False) -> Path:
    """Sign an entry that was laid out, after its digits were compared, and give the file with the signature, beside it.

    Raises:
        As `sign_as_founder` and `sign_as_party`.
    """
    entry = read_entry(path)
    sign = sign_as_party if as_party else sign_as_founder
    signature = sign(entry.kind, entry.body, entry.value, claimed=claimed, signer=signer)
    output = path.with_name(signature_name(path, signer.public_key))
    replace_file(output, encode_signature(entry, signature))
    return output


# --- the root ------------------------------------------------------------------------------------------------------------------


def new_root(home: Path, passphrase: bytes, *, world: World, cost: Cost) -> bytes:
    """Make the treaty root, or show the one that lies there; gives its certificate."""
    keystore = _keystore(home, passphrase, world, cost)
    path = home / "root.pem"
    if path.exists():
        return from_pem(read_bytes(path))
    if "root" not in keystore.names():
        if keystore.names():
            raise Conflict(f"{home} holds other keys than a root's", hint="choose an empty folder")
        keystore.put("root", world.entropy(SEED_BYTES))
    root = root_authority(world, keystore.get("root"))
    replace_file(path, to_pem(root.certificate))
    return root.certificate


def sign_request(home: Path, passphrase: bytes, path: Path, claimed: str, *, world: World) -> Path:
    """The root signs the Secretariat's issuing CA after its request was compared; gives the file for the Secretariat, beside it.

    Raises:
        Unauthentic: the request is another one than was read aloud, or proves nothing.
        NotFound: no root in that folder.
    """
    raw = read_bytes(path)
    file = parse_file(raw, RootRequestFile, name=path.name)
    require_same(digits_of_file(raw), claimed)
    output, record = path.with_name(f"{path.stem}.signed"), home / f"{sha256(raw).hexdigest()}.signed"
    keystore = Keystore.open(home / "keystore", passphrase)
    if record.exists():  # the same request has the same answer: founders may have signed over it already
        replace_file(output, read_bytes(record))
        return output
    root = Authority(certificate=from_pem(read_bytes(home / "root.pem")), key=root_key_from_seed(keystore.get("root")))
    request = bytes.fromhex(file.request)
    issuing_ca = sign_issuing_ca(world, root, request, domain=file.domain)
    signed = encode_file(IssuingFile(domain=file.domain, root=root.certificate.hex(), issuing_ca=issuing_ca.hex()))
    replace_file(record, signed)
    replace_file(output, signed)
    return output


# --- the Secretariat -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the Secretariat has prepared.

    Attributes:
        request: the file for the root.
        digits: of that file, for reading aloud.
    """

    request: Path
    digits: str


def prepare(home: Path, plan: PlanFile, passphrase: bytes, *, world: World, cost: Cost) -> Prepared:
    """Make the Secretariat's own keys and the request to the root.

    Raises:
        Conflict: another plan lies there, or the treaty is founded already.
        InvalidInput, Malformed: the plan makes no sense.
    """
    _plan(plan)
    if (home / "secretariat.toml").exists():
        raise Conflict(f"{home} holds a Secretariat already", hint="choose an empty folder")
    keystore = _keystore(home, passphrase, world, cost)
    folder = home / "ceremony"
    for name in ("ceremony", "certificates", "tray", "pending"):
        (home / name).mkdir(exist_ok=True, mode=0o700)
    if (folder / "plan.json").exists() and read_file(folder / "plan.json", PlanFile) != plan:
        raise Conflict("another plan lies in that folder", hint="use the options of the first time, or choose an empty folder")
    fresh = make_secretariat_seeds(world)
    for name in _SECRETARIAT_KEYS:
        if name not in keystore.names():
            keystore.put(name, getattr(fresh, name))
    replace_file(folder / "plan.json", encode_file(plan))
    return write_root_request(folder / "issuing.request", domain=plan.domain, key=key_from_seed(keystore.get("issuing")))


def write_root_request(path: Path, *, domain: str, key: EllipticCurvePrivateKey) -> Prepared:
    """Ask the root for a CA over that key."""
    content = encode_file(RootRequestFile(domain=domain, request=make_request(key).hex()))
    replace_file(path, content)
    return Prepared(request=path, digits=digits_of_file(content))


def read_plan(home: Path) -> PlanFile:
    """What was prepared.

    Raises:
        NotFound: nothing was.
    """
    path = home / "ceremony" / "plan.json"
    if not path.exists():
        raise NotFound(f"no treaty is prepared in {home}", hint="begin with `gsp secretariat prepare`")
    return read_file(path, PlanFile)


def _plan(file: PlanFile) -> Plan:
    domain, first_witnesses = check_plan(file)
    return Plan(
        domain=domain,
        founders=tuple(bytes.fromhex(key) for key in file.founders),
        threshold=file.threshold,
        first_witnesses=first_witnesses,
        confirmations=file.confirmations,
    )


def draft(home: Path, passphrase: bytes, signed: Path, *, world: World) -> Path:
    """Take what the root signed, make the Secretariat's own CA, and lay out the genesis entry for the founders.

    Raises:
        Conflict: another genesis entry lies there: founders may have signed it.
        Unauthentic, Malformed: the root did not sign that CA.
    """
    plan = _plan(read_plan(home))
    file = read_file(signed, IssuingFile)
    root, issuing_ca = bytes.fromhex(file.root), bytes.fromhex(file.issuing_ca)
    path = home / "ceremony" / GENESIS_FILE
    if path.exists():
        there = _genesis(read_entry(path))
        if (there.root_certificate, there.issuing_ca) != (root, issuing_ca):
            raise Conflict(
                "a genesis entry with another issuing CA lies there, and founders may have signed it",
                hint="go on with that one; to begin anew, choose an empty folder",
            )
        return path
    made = draft_genesis(world, plan, _seeds(Keystore.open(home / "keystore", passphrase)), root=root, issuing_ca=issuing_ca)
    replace_file(home / "certificates" / "issuing-ca.pem", to_pem(issuing_ca))
    replace_file(home / "certificates" / "ca.pem", to_pem(made.ca))
    replace_file(path, made.body)
    return path


def _genesis(entry: WaitingEntry) -> Genesis:
    if not isinstance(entry.value, Genesis):
        raise InvalidInput("this file holds no genesis entry")
    return entry.value


def _seeds(keystore: Keystore) -> SecretariatSeeds:
    return SecretariatSeeds(**{name: keystore.get(name) for name in _SECRETARIAT_KEYS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """Everything with which a Secretariat begins its log.

    Attributes:
        leaf: the genesis entry with every signature.
        ca: the Secretariat's own CA, DER.
    """

    leaf: bytes
    plan: PlanFile
    seeds: SecretariatSeeds
    ca: bytes


def assemble(home: Path, passphrase: bytes, signatures: Iterable[Path]) -> Assembled:
    """Put the founders' signatures under the genesis entry.

    Raises:
        Conflict: founders are missing.
        Unauthentic: a signature is no founder's.
        Forbidden: a file holds a signature of something else.
    """
    plan, path = read_plan(home), home / "ceremony" / GENESIS_FILE
    if not path.exists():
        raise NotFound("the genesis entry is not laid out yet", hint="`gsp secretariat genesis FILE` with what the root signed")
    entry = read_entry(path)
    seeds = _seeds(Keystore.open(home / "keystore", passphrase))
    collected = []
    for signature_path in signatures:
        one = read_signature(signature_path)
        if (one.kind, one.entry) != (EntryKind.GENESIS, entry.digest):
            raise Forbidden(f"{signature_path.name} is the signature of another entry")
        collected.append(one.signature)
    leaf = assemble_genesis(entry.body, collected, SoftwareSigner(seeds.log))
    return Assembled(leaf=leaf, plan=plan, seeds=seeds, ca=_genesis(entry).secretariat_ca)


# --- a checkpoint, when witnesses are lost for good ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A checkpoint under which a founder has put a cosignature.

    Attributes:
        size: entries of the directory.
        root: in hexadecimal.
        file: a signed note with that cosignature alone.
    """

    size: int
    root: str
    file: Path


def cosign_file(path: Path, claimed: str, signer: SoftwareSigner, *, world: World) -> Cosigned:
    """Cosign a checkpoint as a founder, after its root was compared with what Parties read from their own screens.

    Args:
        path: a signed note.
        claimed: its root as read aloud: twelve groups of digits, or as it stands in the note.
        signer: the founder's key.
        world: for the time.

    Raises:
        Unauthentic: the root is another one.
        Malformed: no checkpoint.
    """
    text = note.parse_note(read_bytes(path)).text
    checkpoint = note.parse_checkpoint(text)
    if claimed.strip() not in (b64encode(checkpoint.root).decode(), checkpoint.root.hex()):
        require_same(digits_of(checkpoint.root), claimed)
    line = note.cosign(text, founder_name_of(checkpoint.origin), signer, world.now())
    output = path.with_name(f"{path.name}.{signer.public_key.hex()[:8]}.cosigned")
    replace_file(output, note.format_note(Note(text=text, signatures=(line,))))
    return Cosigned(size=checkpoint.size, root=checkpoint.root.hex(), file=output)
