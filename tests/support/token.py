"""A SoftHSM2 token in a test's own folder: the module that Debian packages, asked through the same library as any other."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

from node.keystore.hardware import Token

PIN = b"only for testing"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
)


@dataclass
class SoftHsm:
    """A token with the label that a test asked for.

    Attributes:
        module: path of the library.
        folder: where the token lies.
    """

    module: str
    folder: Path

    def add(self, label: str) -> None:
        """Make another token."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN.decode(), "--so-pin", "00000000"]
        subprocess.run(command, check=True, capture_output=True)

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """The tokens are gone, and are back after the block."""
        away = self.folder.with_name("away")
        self.folder.rename(away)
        self.folder.mkdir()
        try:
            yield
        finally:
            self.folder.rmdir()
            away.rename(self.folder)


def forget(token: Token) -> None:
    """What a restart of a module's service does: the session ends, and whoever has it does not know."""
    token._session.close()


@contextmanager
def soft_hsm(folder: Path) -> Iterator[SoftHsm]:
    """A module with no token yet. Without SoftHSM2 the calling test is skipped, and fails with CI=true."""
    module = next((path for path in _MODULES if Path(path).exists()), None)
    if module is None or which("softhsm2-util") is None or find_spec("pkcs11") is None:
        reason = (
            "keys in a token are tested with SoftHSM2: install the package softhsm2, and python-pkcs11 from the extra `pkcs11`"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    pkcs11 = importlib.import_module("pkcs11")

    tokens, settings = folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir(parents=True)
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)  # the module reads it from the environment and nowhere else
    try:
        yield SoftHsm(module=module, folder=tokens)
    finally:
        pkcs11.unload(module)
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
