"""An officer's profile: the folder from which a program knows its node and signs.

    officer.toml      who the officer is and where the desk is
    certificate.pem   the officer's certificate
    key               the Ed25519 seed in hexadecimal; nobody else may be able to read it
    party-ca.pem      the own Party's CAs, one of which has to verify the node's certificate

It is written when the officer enrols. A CA that follows another one is added when the node tells of it, long before it is needed.
Whether the certificate is still valid is told when it is used.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519

from federation import limits
from federation.errors import FederationError, InvalidConfiguration
from federation.identity import NodeName, OfficerName, parse_node_uri, party_id
from federation.trust.certificate import from_pem, to_pem
from federation.trust.chain import Window, load_certificate, window_of
from federation.trust.code_text import check_address
from federation.trust.keys import SEED_BYTES, Signer, SoftwareSigner
from node.keystore import replace_file

logger = logging.getLogger(__name__)

_SETTINGS_BYTES_MAX: Final = 4_096
_PEM_BEGINS: Final = b"-----BEGIN CERTIFICATE-----"
_HINT: Final = "ask the administrator for a new profile, or copy the whole folder again"


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """officer.toml, field by field.

    Attributes:
        party: the officer's Party, two letters.
        domain: the treaty's domain.
        desk: `host:port` of the desk.
        node: the DNS name in the node's certificate.
        officer_id: the opaque id in the officer's certificate.
    """

    party: str
    domain: str
    desk: str
    node: str
    officer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile that was read, with its parts fitting each other.

    Attributes:
        desk: `host:port`.
        certificate: DER.
        party_cas: DER, at least one.
    """

    folder: Path
    officer: OfficerName
    desk: str
    node: NodeName
    certificate: bytes
    party_cas: tuple[bytes, ...]
    signer: Signer

    @property
    def window(self) -> Window:
        """When the officer's certificate is valid."""
        return window_of(load_certificate(self.certificate))


def read_profile(folder: Path) -> Profile:
    """Read a profile.

    Raises:
        InvalidConfiguration: a file is missing, does not parse, does not fit the others, or others can read the key.
    """
    settings = _read_settings(folder / "officer.toml")
    try:
        party = party_id(settings.party)
        profile = Profile(
            folder=folder,
            officer=OfficerName(party=party, officer_id=settings.officer_id, domain=settings.domain),
            desk=check_address(settings.desk),
            node=_node(settings.node, party=party, domain=settings.domain),
            certificate=from_pem(_read(folder / "certificate.pem", 2 * limits.CERTIFICATE_BYTES_MAX)),
            party_cas=_read_authorities(folder / "party-ca.pem"),
            signer=SoftwareSigner(read_seed(folder / "key")),
        )
    except InvalidConfiguration:
        raise
    except FederationError as error:
        raise InvalidConfiguration(f"the profile in {folder} cannot be used: {error.message}", hint=_HINT) from error
    key = load_certificate(profile.certificate).public_key()
    if not isinstance(key, ed25519.Ed25519PublicKey) or key.public_bytes_raw() != profile.signer.public_key:
        raise InvalidConfiguration(f"the key and the certificate in {folder} do not belong together", hint=_HINT)
    return profile


def _read_authorities(path: Path) -> tuple[bytes, ...]:
    text = _read(path, limits.CAS_PER_PARTY_MAX * 2 * limits.CERTIFICATE_BYTES_MAX)
    first, *others = text.split(_PEM_BEGINS)[1:] or [b""]
    return tuple(from_pem(_PEM_BEGINS + one) for one in (first, *others))


def keep_authorities(profile: Profile, told: Sequence[bytes]) -> None:
    """Know the CAs that the own node has told, from now on; those that it does not name any more count no longer.

    An officer's work does not wait for it: where the folder cannot be written, the next call brings them again.
    """
    if not told or set(told) == set(profile.party_cas):
        return
    try:
        replace_file(profile.folder / "party-ca.pem", b"".join(map(to_pem, told)))
    except (FederationError, OSError):
        logger.warning("%s cannot be written: its owner has to, before the Party changes its CA", profile.folder / "party-ca.pem")


def write_profile(
    folder: Path,
    *,
    officer: OfficerName,
    desk: str,
    node: NodeName,
    certificate: bytes,
    party_cas: Sequence[bytes],
    seed: bytes,
) -> None:
    """Write a profile into a new folder that only its owner can read.

    Args:
        folder: is made; there must be none of that name.
        officer: who signs with it.
        desk: `host:port`.
        node: the own node.
        certificate: DER of the officer's certificate.
        party_cas: DER of the own Party's CAs.
        seed: the 32 bytes of the officer's Ed25519 key.

    Raises:
        InvalidConfiguration: the folder is there already, or cannot be made.
    """
    settings = {
        "party": officer.party,
        "domain": officer.domain,
        "desk": check_address(desk),
        "node": node.dns,
        "officer_id": officer.officer_id,
    }
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())  # none of them can hold a quotation mark
    try:
        folder.mkdir(mode=0o700, parents=True)
        _write(folder / "officer.toml", lines.encode())
        _write(folder / "certificate.pem", to_pem(certificate))
        _write(folder / "party-ca.pem", b"".join(map(to_pem, party_cas)))
        _write(folder / "key", seed.hex().encode() + b"\n")
    except OSError as error:
        raise InvalidConfiguration(
            f"the profile cannot be written into {folder}: {error.strerror}", hint="name a folder that does not exist yet"
        ) from error


def _read_settings(path: Path) -> _Settings:
    try:
        return msgspec.toml.decode(_read(path, _SETTINGS_BYTES_MAX), type=_Settings)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InvalidConfiguration(f"{path}: {error}", hint=_HINT) from error


def _node(dns: str, *, party: str, domain: str) -> NodeName:
    """The node has to lie in the trust domain of the officer's own Party."""
    node_id, _, trust_domain = dns.partition(".")
    return parse_node_uri(f"spiffe://{trust_domain}/node/{node_id}", party=party_id(party), domain=domain)


def read_seed(path: Path) -> bytes:
    """Refuse a key that others can read: it may be in somebody else's hands already."""
    text = _read(path, 2 * SEED_BYTES + 2, private=True).strip()
    try:
        seed = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise InvalidConfiguration(f"{path} does not hold {SEED_BYTES} bytes in hexadecimal", hint=_HINT)
    return seed


def _read(path: Path, bytes_max: int, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            if private and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InvalidConfiguration(
                    f"others can read {path}",
                    hint=f"run `chmod 600 {path}`; when somebody may have copied it, ask the administrator for a new code",
                )
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    if len(content) > bytes_max:
        raise InvalidConfiguration(f"{path} is larger than any such file", hint=_HINT)
    return content


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
