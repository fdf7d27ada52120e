"""The tray: what an operator lays down is taken once, whole, and says what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Conflict
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
