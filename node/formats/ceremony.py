"""The files that people carry between the machines of a ceremony, read strictly.

An entry that waits for signatures is a file of exactly the bytes that are signed, and the ending of its name says of which kind it
is (`treaty.genesis`, `qm.admit`, `0004-duty-qn.duty`). So its SHA-256 can be computed with any tool; and whoever renames it signs
nothing else than what is shown, because the kind is signed with the bytes. All other files are small JSON documents in which
nothing may stand that is not known. None of them is secret, and none is believed: each is held against a signature or against
digits that were read aloud (docs/protocol.md, "The founding ceremony").
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from federation import limits
from federation.errors import InvalidConfiguration, InvalidInput, NotFound
from federation.identity import PartyId, check_domain, party_id
from federation.trust.entries import EntryBody, EntryKind, Signature
from federation.wire.directory import decode_entry_body
from node import limits as node_limits

Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Hex64 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{128}$")]
HexBytes = Annotated[str, msgspec.Meta(pattern="^(?:[0-9a-f]{2})+$")]
Address = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.\-\[\]:]{1,253}:[0-9]{1,5}$")]


class FounderFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A founder's public key, for the Secretariat that prepares the treaty."""

    format: Literal["gsp-founder"] = "gsp-founder"
    version: Literal[1] = 1
    public_key: Hex32


class RootRequestFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the root is asked to sign: a CA for that domain over the key in the request (PKCS #10, DER)."""

    format: Literal["gsp-root-request"] = "gsp-root-request"
    version: Literal[1] = 1
    domain: str
    request: HexBytes


class IssuingFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the root gives back: its own certificate and the one that it signed, both DER."""

    format: Literal["gsp-issuing"] = "gsp-issuing"
    version: Literal[1] = 1
    domain: str
    root: HexBytes
    issuing_ca: HexBytes


class SignatureFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signature over an entry, which it names by the SHA-256 of its bytes."""

    format: Literal["gsp-signature"] = "gsp-signature"
    version: Literal[1] = 1
    kind: EntryKind
    entry: Hex32
    public_key: Hex32
    signature: Hex64


class PlanFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided when the treaty was prepared, and where the Secretariat's node will listen."""

    format: Literal["gsp-plan"] = "gsp-plan"
    version: Literal[1] = 1
    domain: str
    founders: tuple[Hex32, ...]
    threshold: int
    first_witnesses: tuple[str, ...]
    confirmations: int
    listen: Address
    join: Address
    public: Address | None
    public_join: Address | None


class RecoveryFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a Party that lost its keys asks for: new ones, made on its own machine. `party_ca` is DER, or empty to keep the CA."""

    format: Literal["gsp-recovery"] = "gsp-recovery"
    version: Literal[1] = 1
    party: str
    party_key: Hex32
    next_key_hash: Hex32
    party_ca: Annotated[str, msgspec.Meta(pattern="^(?:[0-9a-f]{2})*$")]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.REASON_CHARACTERS_MAX)]


CeremonyFile = FounderFile | RootRequestFile | IssuingFile | SignatureFile | PlanFile | RecoveryFile
FileType = TypeVar("FileType", FounderFile, RootRequestFile, IssuingFile, SignatureFile, PlanFile, RecoveryFile)

_WORDS: Final[dict[type, str]] = {
    FounderFile: "the public key of a founder",
    RootRequestFile: "a request to the treaty's root",
    IssuingFile: "what the treaty's root signed",
    SignatureFile: "a signature of an entry",
    PlanFile: "the plan of a treaty",
    RecoveryFile: "a Party's request to recover",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEntry:
    """An entry that is to be signed.

    Attributes:
        body: the exact bytes.
        value: what they say.
    """

    kind: EntryKind
    body: bytes
    value: EntryBody

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return sha256(self.body).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySignature:
    """A signature with the entry that it is for.

    Attributes:
        entry: SHA-256 of the entry's bytes.
    """

    kind: EntryKind
    entry: bytes
    signature: Signature


def read_bytes(path: Path) -> bytes:
    """A file of at most the size that any of ours has.

    Raises:
        NotFound: it is not there.
        InvalidConfiguration: it cannot be read.
        InvalidInput: it is larger.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(node_limits.CEREMONY_FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}", hint="check the name, and whether it was copied whole") from error
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > node_limits.CEREMONY_FILE_BYTES_MAX:
        raise InvalidInput(f"{path.name} is larger than any file of a ceremony")
    return raw


def read_file(path: Path, kind: type[FileType]) -> FileType:
    """Read one of the JSON files.

    Raises:
        InvalidInput: it is something else, or damaged.
        NotFound, InvalidConfiguration: as `read_bytes`.
    """
    return parse_file(read_bytes(path), kind, name=path.name)


def parse_file(raw: bytes, kind: type[FileType], *, name: str = "this file") -> FileType:
    """Read the bytes of one of the JSON files.

    Raises:
        InvalidInput: they are something else.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"{name} is not {_WORDS[kind]}", hint="check that it is the file you mean, copied whole") from error


def encode_file(file: CeremonyFile) -> bytes:
    """The bytes of a file; the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def read_entry(path: Path) -> WaitingEntry:
    """Read an entry that is to be signed.

    Raises:
        InvalidInput: its name does not say of which kind it is.
        Malformed: the bytes are no entry of that kind.
        NotFound, InvalidConfiguration: as `read_bytes`.
    """
    try:
        kind = EntryKind(path.suffix.removeprefix("."))
    except ValueError:
        raise InvalidInput(
            f"{path.name} is no entry that waits for signatures", hint="its name ends in its kind, such as qm.admit"
        ) from None
    body = read_bytes(path)
    return WaitingEntry(kind=kind, body=body, value=decode_entry_body(kind, body))


def read_signature(path: Path) -> EntrySignature:
    """Read the signature of an entry. Whether it verifies is seen where it is used.

    Raises:
        InvalidInput: it is something else.
        NotFound, InvalidConfiguration: as `read_bytes`.
    """
    file = read_file(path, SignatureFile)
    signature = Signature(public_key=bytes.fromhex(file.public_key), signature=bytes.fromhex(file.signature))
    return EntrySignature(kind=file.kind, entry=bytes.fromhex(file.entry), signature=signature)


def encode_signature(entry: WaitingEntry, signature: Signature) -> bytes:
    """The file that goes back with a founder's signature."""
    return encode_file(
        SignatureFile(
            kind=entry.kind,
            entry=entry.digest.hex(),
            public_key=signature.public_key.hex(),
            signature=signature.signature.hex(),
        )
    )


def signature_name(entry: Path, public_key: bytes) -> str:
    """How a signature file is called: after the entry, and after who signed."""
    return f"{entry.name}.{public_key.hex()[:8]}.signature"


def check_plan(file: PlanFile) -> tuple[str, tuple[PartyId, ...]]:
    """The names in a plan, parsed.

    Raises:
        Malformed: one of them is none.
    """
    return check_domain(file.domain), tuple(party_id(one) for one in file.first_witnesses)
