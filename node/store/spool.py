"""The spool as files in a folder, each a ciphertext.

What comes is written into `NAME.part` and moved to `NAME` when it is settled: after the bytes are on the disk, and so that the name is
there too. Nothing here knows a key. Calls run in threads, one after another for each file because their callers wait.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from federation.errors import Misuse, NotFound, StoreUnavailable
from federation.ports import Spool, SpoolFile

Result = TypeVar("Result")

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+){1,2}")
_PART: Final = ".part"


class FolderSpool(Spool):
    """One folder, for its owner alone; made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def size(self, file: str, *, settled: bool) -> int | None:
        path = self._path(file, settled=settled)
        return await _threaded(lambda: path.stat().st_size if path.exists() else None)

    async def write(self, file: str, offset: int, data: bytes) -> None:
        path = self._path(file, settled=False)
        await _threaded(lambda: self._write(path, offset, data))

    async def settle(self, file: str) -> None:
        part, whole = self._path(file, settled=False), self._path(file, settled=True)
        await _threaded(lambda: self._settle(part, whole))

    async def read(self, file: str, offset: int, length: int, *, settled: bool) -> bytes:
        path = self._path(file, settled=settled)
        return await _threaded(lambda: _read(path, offset, length))

    async def remove(self, file: str) -> None:
        part, whole = self._path(file, settled=False), self._path(file, settled=True)

        def remove() -> None:
            part.unlink(missing_ok=True)
            whole.unlink(missing_ok=True)

        await _threaded(remove)

    async def files(self) -> tuple[SpoolFile, ...]:
        return await _threaded(self._files)

    async def free_bytes(self) -> int:
        return await _threaded(lambda: shutil.disk_usage(self._folder if self._folder.exists() else self._folder.parent).free)

    def _path(self, file: str, *, settled: bool) -> Path:
        """Every name is one of ours; this is the last place to see that."""
        if not _NAME.fullmatch(file):
            raise Misuse("a file of the spool has a name that none has")
        return self._folder / (file if settled else file + _PART)

    def _write(self, path: Path, offset: int, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            reached = os.fstat(descriptor).st_size
            if reached < offset:
                raise Misuse("a piece of a file is put behind the end of it")
            if reached > offset:
                os.ftruncate(descriptor, offset)
            view = memoryview(data)
            while view:
                written = os.pwrite(descriptor, view, offset)
                view, offset = view[written:], offset + written
        finally:
            os.close(descriptor)

    def _settle(self, part: Path, whole: Path) -> None:
        if not part.exists():
            if whole.exists():
                return
            raise NotFound("a file is to be settled that is not there")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(whole)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _files(self) -> tuple[SpoolFile, ...]:
        if not self._folder.exists():
            return ()
        with os.scandir(self._folder) as entries:
            found = [(one.name, one.stat(follow_symlinks=False).st_size) for one in entries]
        files = [
            SpoolFile(name=name.removesuffix(_PART), size=size, settled=not name.endswith(_PART)) for name, size in sorted(found)
        ]
        return tuple(file for file in files if _NAME.fullmatch(file.name))


def _read(path: Path, offset: int, length: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotFound("a file is not here any more") from None
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


async def _threaded(work: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise StoreUnavailable(f"a file of the spool cannot be reached: {error.strerror}") from error
