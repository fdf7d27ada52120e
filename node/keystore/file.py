"""The file that holds a node's secrets, encrypted under a passphrase: key seeds, private keys, storage keys.

    {"format":"gsp-keystore", ... "salt":"...","key_check":"..."}    JSON and a line end: the associated data of what follows
    nonce (24 bytes) and ciphertext                                  XChaCha20-Poly1305 over a JSON object of names and secrets

Argon2id makes 48 bytes of the passphrase: 32 are the key and 16, written in the header, tell a wrong passphrase from a damaged
file (and commit the file to one key). It runs once, at the start of the process; every later change encrypts again under the same
key and a new random nonce. Its cost stands in the file and is bounded on reading: a hostile file cannot exhaust the machine.

Every change is atomic and durable: a temporary file beside it, synced, renamed, the folder synced, under a lock on the folder,
and with what other processes changed in the meantime. Only the owner may read the file. Python cannot wipe memory: whoever can
read the memory of the process has the keys, and a Party that cannot accept that uses a hardware module (`hardware`).

Which secrets there are is `custody`'s business; where the passphrase comes from is the configuration's.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from nacl.bindings import sodium_memcmp
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import Aead

from federation.errors import Conflict, InvalidConfiguration, InvalidInput, NotFound, Overloaded, StoreUnavailable, Unauthentic
from node import limits

_KEY_BYTES: Final = 32
CHECK_BYTES: Final = 16
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_RESTORE: Final = "restore the keystore from its backup"


class Cost(Enum):
    """What one guess of the passphrase costs: passes over memory, and bytes of memory."""

    MINIMAL = (argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)
    """For demonstrations and tests only: no protection against guessing."""
    INTERACTIVE = (argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE)
    """64 MiB, about a tenth of a second: a small machine with a long random passphrase."""
    MODERATE = (argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)
    """256 MiB, about a second: everything else."""


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of the file."""

    format: Literal["gsp-keystore"] = "gsp-keystore"
    version: Literal[1] = 1
    kdf: Literal["argon2id"] = "argon2id"
    passes: Annotated[int, msgspec.Meta(ge=argon2id.OPSLIMIT_MIN, le=limits.ARGON2_PASSES_MAX)]
    memory_bytes: Annotated[int, msgspec.Meta(ge=argon2id.MEMLIMIT_MIN, le=limits.ARGON2_MEMORY_BYTES_MAX)]
    salt: Annotated[bytes, msgspec.Meta(min_length=argon2id.SALTBYTES, max_length=argon2id.SALTBYTES)]
    key_check: Annotated[bytes, msgspec.Meta(min_length=CHECK_BYTES, max_length=CHECK_BYTES)]


class Keystore:
    """An open keystore. Use `create` or `open`; every method may be called from one thread at a time.

    Reading is from memory, as of the opening, the last `put` or `reload`.
    """

    __slots__ = ("_aead", "_head", "_path", "_secrets")

    def __init__(self, *, path: Path, head: bytes, aead: Aead, secrets: dict[str, bytes]) -> None:
        """Internal: see `create` and `open`."""
        self._path = path
        self._head = head
        self._aead = aead
        self._secrets = secrets

    def __repr__(self) -> str:
        """Without any secret: tracebacks and logs show this."""
        return f"Keystore({str(self._path)!r}, {len(self._secrets)} secrets)"

    @classmethod
    def create(cls, path: Path, passphrase: bytes, entropy: Callable[[int], bytes], *, cost: Cost = Cost.MODERATE) -> Keystore:
        """Make an empty keystore file.

        Args:
            path: the new file; its folder exists.
            passphrase: at least `limits.PASSPHRASE_BYTES_MIN` bytes.
            entropy: gives n unpredictable bytes, for the salt.
            cost: of guessing the passphrase.

        Raises:
            Conflict: the file exists.
            InvalidInput: the passphrase is too short or too long.
            Overloaded: not enough memory for this cost.
            StoreUnavailable: the disk refuses.
        """
        head, key = _make_head(passphrase, entropy, cost)
        keystore = cls(path=path, head=head, aead=Aead(key), secrets={})
        with _locked(path):
            if path.exists():
                raise Conflict(f"there is a keystore at {path} already", hint="open that one, or choose another place")
            keystore._write({}, keystore._head, keystore._aead)
        return keystore

    @classmethod
    def open(cls, path: Path, passphrase: bytes) -> Keystore:
        """Open a keystore file. Takes as long as its cost says, once.

        Raises:
            NotFound: there is no such file.
            InvalidConfiguration: it is no keystore, or others may read it.
            InvalidInput: wrong passphrase.
            Unauthentic: the file was damaged or changed.
            Overloaded: not enough memory to derive the key.
        """
        head, sealed = _split(_read(path))
        header = _parse(head)
        key, check = derive_key(passphrase, header.salt, header.passes, header.memory_bytes)
        if not sodium_memcmp(check, header.key_check):
            raise InvalidInput("the passphrase does not open this keystore", hint="type it again; capitals count")
        aead = Aead(key)
        return cls(path=path, head=head, aead=aead, secrets=_unseal(aead, head, sealed))

    def names(self) -> tuple[str, ...]:
        """The names of all secrets, sorted."""
        return tuple(sorted(self._secrets))

    def get(self, name: str) -> bytes:
        """Give one secret.

        Raises:
            NotFound: there is none of that name.
        """
        try:
            return self._secrets[name]
        except KeyError:
            raise NotFound(f"the keystore holds no `{name}`", hint=_RESTORE) from None

    def put(self, name: str, value: bytes, *, replace: bool = False) -> None:
        """Keep a secret; it is durable on return. The same value again changes nothing.

        Args:
            name: small letters, digits and dashes, 64 at most.
            value: up to `limits.SECRET_BYTES_MAX` bytes.
            replace: whether another value under this name may be lost for ever.

        Raises:
            InvalidInput: a name or size that is not allowed, or too many secrets.
            Conflict: another value is there, or the file was made anew since it was opened.
            Unauthentic, InvalidConfiguration, NotFound: the file was damaged or removed meanwhile.
            StoreUnavailable: the disk refuses; the old file stands.
        """
        if _NAME.match(name) is None or len(value) > limits.SECRET_BYTES_MAX:
            raise InvalidInput(f"`{name[:64]}` cannot be kept: the name or the size is not allowed")
        with _locked(self._path):
            secrets = self._reload()
            if not replace and secrets.get(name, value) != value:
                raise Conflict(f"the keystore holds another `{name}`", hint="nothing was changed")
            if len(secrets | {name: value}) > limits.KEYSTORE_SECRETS_MAX:
                raise InvalidInput("the keystore is full")
            self._write(secrets | {name: value}, self._head, self._aead)

    def reload(self) -> None:
        """Take up what other processes have put since.

        Raises:
            Conflict: the file has another passphrase since it was opened.
            Unauthentic, InvalidConfiguration, NotFound: the file was damaged or removed meanwhile.
            StoreUnavailable: the folder is out of reach.
        """
        with _locked(self._path):
            self._secrets = self._reload()

    def change_passphrase(self, passphrase: bytes, entropy: Callable[[int], bytes], *, cost: Cost = Cost.MODERATE) -> None:
        """Encrypt all secrets under another passphrase; other processes have to open the file again. Old copies keep the old one.

        Raises:
            As `create` and `put`.
        """
        head, key = _make_head(passphrase, entropy, cost)
        with _locked(self._path):
            secrets = self._reload()
            self._write(secrets, head, Aead(key))

    def _reload(self) -> dict[str, bytes]:
        """What is in the file now; the caller holds the lock."""
        head, sealed = _split(_read(self._path))
        if head != self._head:
            raise Conflict("the keystore has another passphrase since it was opened", hint="start the node again")
        return _unseal(self._aead, head, sealed)

    def _write(self, secrets: dict[str, bytes], head: bytes, aead: Aead) -> None:
        """Replace the file, and only then what is in memory; the caller holds the lock."""
        _replace(self._path, head + aead.encrypt(msgspec.json.encode(secrets), aad=head))
        self._secrets, self._head, self._aead = secrets, head, aead


def read_passphrase(source: int | Path) -> bytes:
    """Read a passphrase from a file descriptor, which is closed, or from a file (such as a systemd credential).

    One line end is dropped. Environment variables are no source: other processes of the same user can read them.

    Raises:
        InvalidInput: nothing there, too long, or not readable.
    """
    try:
        with open(source, "rb") as file:  # noqa: PTH123  # a descriptor has no path
            content = file.read(limits.PASSPHRASE_BYTES_MAX + 3)
    except OSError as reason:
        raise InvalidInput(f"the passphrase cannot be read: {reason.strerror}", hint="check the path or descriptor") from reason
    passphrase = content.removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(passphrase) <= limits.PASSPHRASE_BYTES_MAX:
        raise InvalidInput("the passphrase is empty or too long", hint=f"at most {limits.PASSPHRASE_BYTES_MAX} bytes")
    return passphrase


def _make_head(passphrase: bytes, entropy: Callable[[int], bytes], cost: Cost) -> tuple[bytes, bytes]:
    """A new header line and its key."""
    if len(passphrase) < limits.PASSPHRASE_BYTES_MIN:
        wanted = f"use at least {limits.PASSPHRASE_BYTES_MIN} characters, better a few random words"
        raise InvalidInput("the passphrase is too short", hint=wanted)
    passes, memory_bytes = cost.value
    salt = entropy(argon2id.SALTBYTES)
    key, check = derive_key(passphrase, salt, passes, memory_bytes)
    header = _Header(passes=passes, memory_bytes=memory_bytes, salt=salt, key_check=check)
    return msgspec.json.encode(header) + b"\n", key


def derive_key(passphrase: bytes, salt: bytes, passes: int, memory_bytes: int) -> tuple[bytes, bytes]:
    """A key of 32 bytes, and 16 bytes that tell a wrong passphrase from damage.

    Raises:
        InvalidInput: no passphrase is that long.
        Overloaded: not enough memory for this cost.
    """
    if len(passphrase) > limits.PASSPHRASE_BYTES_MAX:
        raise InvalidInput("the passphrase is too long", hint=f"at most {limits.PASSPHRASE_BYTES_MAX} bytes")
    try:
        derived = argon2id.kdf(_KEY_BYTES + CHECK_BYTES, passphrase, salt, opslimit=passes, memlimit=memory_bytes)
    except (CryptoError, MemoryError) as reason:
        raise Overloaded(
            "there is not enough memory to make a key of the passphrase", hint=f"it takes {memory_bytes >> 20} MiB"
        ) from reason
    return derived[:_KEY_BYTES], derived[_KEY_BYTES:]


def _split(content: bytes) -> tuple[bytes, bytes]:
    """The header line, its line end included, and the rest."""
    end = content.find(b"\n", 0, limits.KEYSTORE_HEADER_BYTES_MAX) + 1
    if end == 0:
        raise InvalidConfiguration("this file is not a keystore", hint=_RESTORE)
    return content[:end], content[end:]


def _parse(head: bytes) -> _Header:
    try:
        return msgspec.json.decode(head, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError) as reason:
        raise InvalidConfiguration(f"this file is not a keystore that we can read: {reason}", hint=_RESTORE) from reason


def _unseal(aead: Aead, head: bytes, sealed: bytes) -> dict[str, bytes]:
    try:
        return msgspec.json.decode(aead.decrypt(sealed, aad=head), type=dict[str, bytes])
    except (CryptoError, ValueError) as reason:  # ValueError: fewer bytes than a nonce; msgspec's errors are ValueErrors too
        raise Unauthentic("the keystore file was damaged or changed", hint=_RESTORE) from reason


def _read(path: Path) -> bytes:
    try:
        # Not blocking: a pipe in the file's place must not stop the node for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
                raise InvalidConfiguration(
                    f"others may read the keystore {path}", hint=f"`chmod 600 {path}`, and change its passphrase"
                )
            content = file.read(limits.KEYSTORE_BYTES_MAX + 1)
    except FileNotFoundError as reason:
        raise NotFound(f"there is no keystore at {path}", hint="check the path in the configuration") from reason
    except OSError as reason:
        raise InvalidConfiguration(f"the keystore {path} cannot be read: {reason.strerror}", hint="check its owner") from reason
    if len(content) > limits.KEYSTORE_BYTES_MAX:
        raise InvalidConfiguration(f"{path} is too large for a keystore", hint="check the path in the configuration")
    return content


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing files in this folder; what the disk refuses becomes `StoreUnavailable`."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as reason:
        raise StoreUnavailable(f"{path} cannot be written: {reason.strerror}") from reason


def replace_file(path: Path, content: bytes) -> None:
    """Write a private file whole or not at all; it is durable on return.

    Raises:
        StoreUnavailable: the disk refuses; the old file stands.
    """
    with _locked(path):
        _replace(path, content)


def _replace(path: Path, content: bytes) -> None:
    """All or nothing: readers see the old file or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
