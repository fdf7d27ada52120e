"""An officer's profile on disk, from fixed seeds and at a fixed time."""

from __future__ import annotations

from pathlib import Path

from node.cli.profile import write_profile
from tests.support import pki


def officer_profile(folder: Path, *, certificate: bytes | None = None, desk: str = "127.0.0.1:8443") -> Path:
    """Write the profile of the officer of qm whose certificate `pki` makes."""
    write_profile(
        folder,
        officer=pki.officer(),
        desk=desk,
        node=pki.node(),
        certificate=certificate or pki.officer_certificate(),
        party_cas=(pki.party_ca().certificate,),
        seed=pki.seed("officer"),
    )
    return folder
