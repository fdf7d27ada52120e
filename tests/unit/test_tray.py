"""The tray: what an operator lays down is taken once, whole, and says what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Conflict, StoreUnavailable
from federation.identity import PartyId
from federation.trust.entries import Signature
from node.store.tray import Approval, Invite, Tray

INVITE = Invite(party=PartyId("qm"), token_hash=bytes(range(32)), created=1_800_000_000)
APPROVAL = Approval(party=PartyId("qm"), signature=Signature(public_key=bytes(32), signature=bytes(64)))


async def nothing() -> None:
    """Work that succeeds."""


async def refusal() -> None:
    raise Conflict("it is there already", hint="look")


@pytest.mark.parametrize("request_", [INVITE, APPROVAL])
async def test_a_request_is_taken_as_it_was_laid_down_and_only_once(tmp_path: Path, request_: Invite | Approval) -> None:
    tray = Tray(tmp_path / "tray")
    tray.put(request_)

    ((path, taken),) = tray.take()
    await tray.settle(path, nothing())

    assert taken == request_
    assert list(tray.take()) == []
    assert path.with_suffix(".done").exists()


async def test_a_refused_request_says_why_beside_itself(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.put(INVITE)

    ((path, _),) = tray.take()
    await tray.settle(path, refusal())

    assert path.with_suffix(".refused").exists()
    assert "it is there already" in path.with_suffix(".why").read_text()


@given(content=st.binary(max_size=300))
def test_any_bytes_in_the_tray_are_put_aside_and_hide_no_other(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("tray")
    (folder / "a-first.json").write_bytes(content)
    tray = Tray(folder)
    tray.put(INVITE)

    assert INVITE in [taken for _, taken in tray.take()]


@pytest.mark.parametrize(
    "content",
    [
        b'{"kind":"invite","party":"q\xff","token_hash":"' + b"0" * 64 + b'","created":1}',
        b'{"kind":"invite","party":"qm","token_hash":"' + b"0" * 64 + b'","created":' + b"9" * 40 + b"}",
        b'{"kind":"invite","party":"qm","token_hash":"' + b"0" * 64 + b'","created":-1}',
        b"[" * 4_000,
    ],
    ids=["no UTF-8", "a time beyond every calendar", "a time before every calendar", "deep"],
)
def test_a_hostile_file_in_the_tray_ends_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hostile.json").write_bytes(content)

    assert list(Tray(tmp_path).take()) == []
    assert (tmp_path / "hostile.refused").exists()


async def test_a_request_that_meets_a_full_disk_waits_for_its_turn(tmp_path: Path) -> None:
    async def full() -> None:
        raise StoreUnavailable("the disk is full")

    tray = Tray(tmp_path)
    tray.put(APPROVAL)
    ((path, _),) = tray.take()
    await tray.settle(path, full())

    assert [taken for _, taken in tray.take()] == [APPROVAL]


async def test_a_folder_that_takes_no_more_files_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    tray = Tray(tmp_path)
    tray.put(INVITE)
    (tmp_path / "hostile.json").write_bytes(b"{")
    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "rename", full)

    for path, _ in tray.take():
        await tray.settle(path, refusal())
        await tray.settle(path, nothing())
