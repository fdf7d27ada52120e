"""Any bytes as a backup file, with the right passphrase or without, give only our errors, and never a file outside the folder."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.envelope.suite import seal_pieces
from federation.errors import Incompatible, InvalidInput, Malformed, Unauthentic
from node import backup
from node.formats.backups import Header, HomeKind, Manifest, Member, OpenBackup, encode_header, read_header, seal_backup
from node.keystore import Cost
from node.keystore.file import derive_key

SECRET = b"of the backup"
KEY = bytes(32)
REFUSED = (Malformed, Incompatible, InvalidInput, Unauthentic)
PASSES, MEMORY_BYTES = Cost.MINIMAL.value
HONEST_KEY, CHECK = derive_key(SECRET, bytes(16), PASSES, MEMORY_BYTES)
LINE = encode_header(Header(passes=PASSES, memory_bytes=MEMORY_BYTES, salt=bytes(16), key_check=CHECK))
FILES = {"node.toml": b"settings", "trace.sqlite": b"t" * 40_000, "keystore": b"k" * 100}
MANIFEST = Manifest(
    kind=HomeKind.PARTY,
    program="0.1.0",
    taken=1,
    files=tuple(Member(name=name, size=len(content)) for name, content in FILES.items()),
)
HONEST = LINE + b"".join(seal_backup(HONEST_KEY, LINE, MANIFEST, FILES.values()))

names = st.sampled_from([*FILES, "policy.toml", "../x", "/x", "a/b", "officers/x", "\0"]) | st.text(max_size=12)
members = st.builds(lambda name, size: {"name": name, "size": size}, names, st.integers(-1, 2**41) | st.integers(0, 300))
manifests = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["party", "secretariat", "other"]),
        "program": st.text(max_size=50),
        "taken": st.integers(-1, 2**40),
        "files": st.lists(members, max_size=6),
    }
)
plaintexts = (
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda tail: len(tail).to_bytes(4) + tail)
    | st.tuples(manifests.map(msgspec.json.encode), st.binary(max_size=300)).map(
        lambda pair: len(pair[0]).to_bytes(4) + pair[0] + pair[1]
    )
)


def opened(raw: bytes, key: bytes) -> dict[str, bytes]:
    """All of it, read as whoever restores reads it."""
    file = io.BytesIO(raw)
    _, line = read_header(file)
    found = OpenBackup(file, key=key, line=line, size=len(raw))
    contents = {one.name: b"".join(found.content(one)) for one in found.manifest.files}
    found.finish()
    return contents


def test_an_honest_one_is_read() -> None:
    assert opened(HONEST, HONEST_KEY) == FILES


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=400) | st.binary(max_size=300).map(lambda tail: LINE + tail))
def test_any_bytes_are_refused_in_our_words(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.backup"
        path.write_bytes(content)
        with pytest.raises(REFUSED):
            backup.verify(path, SECRET)
        with pytest.raises(REFUSED):
            backup.restore(path, Path(folder) / "again", SECRET, now=2)

        assert [one.name for one in Path(folder).iterdir()] == ["a.backup"]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_seen(data: st.DataObject) -> None:
    changed = bytearray(HONEST)
    changed[data.draw(st.integers(0, len(HONEST) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(REFUSED):
        opened(bytes(changed), HONEST_KEY)


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, len(HONEST) - 1))
def test_any_missing_end_is_seen(cut: int) -> None:
    with pytest.raises(REFUSED):
        opened(HONEST[:cut], HONEST_KEY)


@settings(max_examples=400, deadline=None)
@given(plain=plaintexts)
def test_whatever_was_sealed_with_the_right_key_is_one_or_is_refused(plain: bytes) -> None:
    sealed = LINE + b"".join(seal_pieces(KEY, b"gsp/v1/backup\0" + LINE, [plain]))
    try:
        contents = opened(sealed, KEY)
    except Malformed:
        return

    assert {"keystore"} < set(contents)
    assert not any(name.startswith(("/", ".")) or ".." in name for name in contents)


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(0, 50_000), min_size=3, max_size=3), piece=st.integers(1, 70_000))
def test_what_goes_in_comes_out_whatever_its_size_and_its_pieces(sizes: list[int], piece: int) -> None:
    contents = dict(zip(FILES, (bytes(size) for size in sizes), strict=True))
    manifest = msgspec.structs.replace(
        MANIFEST, files=tuple(Member(name=name, size=len(content)) for name, content in contents.items())
    )
    pieces = [content[start : start + piece] for content in contents.values() for start in range(0, len(content), piece)]

    assert opened(LINE + b"".join(seal_backup(KEY, LINE, manifest, pieces)), KEY) == contents
