"""Requests of the operator about officers, on their way to the running node: one file each, sealed under the storage key.

Whoever can write into the folder can lay a file down; only who has the keystore's passphrase can make one that opens. What a request
means is left to `node.officers`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Final

from federation.errors import FederationError
from node.store.tray import Tray
from node.store.vault import Vault

logger = logging.getLogger(__name__)

_REQUEST_BYTES_MAX: Final = 65_536
_COLUMN: Final = "tray.officer"


class OfficerTray:
    """The folder. A request is taken once; what became of it stands beside it as `.done` or `.refused`, with the reason in `.why`."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._tray = Tray(folder)
        self._vault = vault

    def put(self, officer_id: str, request: bytes) -> Path:
        """Lay a request down whole or not at all, and give the file that it is."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f"{officer_id}.draft"
        draft.write_bytes(self._vault.seal(request, column=_COLUMN, row=officer_id.encode()))
        return draft.rename(self._folder / f"{officer_id}.officer")

    def take(self) -> Iterator[tuple[Path, bytes]]:
        """Requests that wait. One that does not open is put aside and hides no other."""
        for path in sorted(self._folder.glob("*.officer")):
            try:
                with path.open("rb") as file:
                    sealed = file.read(_REQUEST_BYTES_MAX + 1)
                yield path, self._vault.open(sealed, column=_COLUMN, row=path.stem.encode())
            except (FederationError, OSError) as error:
                logger.warning("a request in the tray does not open", extra={"problem": getattr(error, "code", "disk")})
                path.rename(path.with_suffix(".refused"))

    async def settle(self, path: Path, work: Awaitable[object]) -> None:
        """Do the work of a request and put its file aside; see `Tray.settle`."""
        await self._tray.settle(path, work)
