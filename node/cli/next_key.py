"""The next Party key on its way to paper, and back from it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from federation.errors import InvalidInput
from federation.identity import PartyId
from federation.trust.keys import SEED_BYTES
from node.cli.output import remark
from node.cli.serving import private_file


def keep_next_key(home: Path, party: PartyId, seed: str) -> None:
    """The one key that can ever replace the Party key: on paper or a stick, and not on this machine."""
    path = home / f"next-party-key-{party}.txt"
    if path.exists():  # an earlier try ended before anything was committed to its key; still, no key is ever written over
        older = next(name for number in count(1) if not (name := path.with_suffix(f".unused-{number}.txt")).exists())
        path.rename(older)
        remark(f"an older file with a next Party key lay there: it is {older} now; delete it when nothing needs it any more")
    private_file(path, f"Next Party key of {party}. It alone can replace the Party key. Keep it on paper in a safe.\n{seed}\n")
    remark(f"next Party key: written to {path}; print it, put it into a safe, and delete the file")


def read_next_key(path: Path) -> bytes:
    """The key as it was typed in again, or as the file was: 64 hexadecimal characters in a line of their own.

    Raises:
        InvalidInput: there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        seed = bytes.fromhex(next(line for line in reversed(lines) if line.strip()))
    except (OSError, ValueError, StopIteration) as error:
        raise InvalidInput(f"{path} holds no next Party key", hint="it is a line of 64 hexadecimal characters") from error
    if len(seed) != SEED_BYTES:
        raise InvalidInput(f"{path} holds no next Party key", hint="it is a line of 64 hexadecimal characters")
    return seed
