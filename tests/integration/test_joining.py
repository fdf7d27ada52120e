"""Joining over the real join port: what an honest Party can interrupt and resume, and what nobody else can do with its code."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from federation.errors import Conflict, FederationError, Forbidden, InvalidInput, Unauthentic, Unreachable
from federation.identity import PartyId
from federation.trust.join_code import decode_join_code, encode_join_code
from node.cli.serving import world
from node.joining import join
from tests.support.centre import Centre, a_centre, admitted, joining


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with a_centre(tmp_path_factory.mktemp("treaty") / "secretariat") as centre:
        yield centre


async def test_a_party_joins_and_its_files_are_its_own_alone(centre: Centre, tmp_path: Path) -> None:
    joined = await admitted(centre, tmp_path / "qm", await centre.invite("qm"))

    assert joined.party == "qm"
    assert len(joined.fingerprint.split()) == 12
    assert (tmp_path / "qm" / "keystore").stat().st_mode & 0o077 == 0
    assert joined.officer_seed.hex() not in (tmp_path / "qm" / "joining.json").read_text()


async def test_without_founders_it_waits_and_goes_on_later_from_where_it_was(centre: Centre, tmp_path: Path) -> None:
    code = await centre.invite("qn")
    shown: list[str] = []
    with pytest.raises(Conflict, match="0 of 2") as waiting:
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1, told=shown), world())
    assert "again" in waiting.value.hint

    body = await centre.pending("qn")
    centre.approve("qn", body, centre.founder(1))
    await centre.taken("approval-qn-*.done")
    with pytest.raises(Conflict, match="1 of 2"):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1, told=shown), world())
    centre.approve("qn", body, centre.founder(3))
    joined = await join(joining(tmp_path, code, centre.genesis, told=shown), world())

    assert joined.party == "qn"
    assert len(shown) == 1  # the next Party key is shown once, and the hash of that one is in the log


async def test_one_founder_twice_is_one_founder(centre: Centre, tmp_path: Path) -> None:
    code = await centre.invite("qo")
    with pytest.raises(Conflict):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1), world())
    body = await centre.pending("qo")
    centre.approve("qo", body, centre.founder(1))
    await centre.taken("approval-qo-*.done")
    centre.approve("qo", body, centre.founder(1))

    with pytest.raises(Conflict, match="1 of 2"):
        await join(joining(tmp_path, code, centre.genesis, wait_s=1.0), world())


async def test_an_approval_by_somebody_who_is_no_founder_is_refused_and_says_why(centre: Centre, tmp_path: Path) -> None:
    code = await centre.invite("qp")
    with pytest.raises(Conflict):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1), world())

    centre.approve("qp", await centre.pending("qp"), secrets.token_bytes(32))

    refused = await centre.taken("approval-qp-*.refused")
    assert "founders" in refused.with_suffix(".why").read_text()


async def test_a_code_that_was_used_is_worth_nothing_to_others(centre: Centre, tmp_path: Path) -> None:
    code = await centre.invite("qr")
    with pytest.raises(Conflict):
        await join(joining(tmp_path / "own", code, centre.genesis, wait_s=0.1), world())

    with pytest.raises(Conflict, match="other keys"):
        await join(joining(tmp_path / "thief", code, centre.genesis, wait_s=0.1), world())


async def test_a_code_for_one_party_does_not_let_in_another(centre: Centre, tmp_path: Path) -> None:
    code = replace(await centre.invite("qs"), party=PartyId("qt"))

    with pytest.raises(Forbidden):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1), world())


async def test_a_wrong_token_is_refused_like_no_invitation(centre: Centre, tmp_path: Path) -> None:
    code = await centre.invite("qu")
    guessed = [replace(code, token=bytes(16)), replace(code, party=PartyId("zz"))]
    refusals = []
    for number, attempt in enumerate(guessed):
        with pytest.raises(Forbidden) as refused:
            await join(joining(tmp_path / str(number), attempt, centre.genesis, wait_s=0.1), world())
        refusals.append((refused.value.message, refused.value.hint))

    assert refusals[0] == refusals[1]


async def test_a_secretariat_with_another_genesis_is_noticed(centre: Centre, tmp_path: Path) -> None:
    with pytest.raises(Unauthentic, match="genesis"):
        await join(joining(tmp_path, await centre.invite("qv"), bytes(32), wait_s=0.1), world())


async def test_a_server_that_is_not_the_codes_is_noticed_before_a_word_is_said(centre: Centre, tmp_path: Path) -> None:
    code = replace(await centre.invite("qw"), leaf_sha256=bytes(32))

    with pytest.raises(Unauthentic, match="not the one"):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1), world())


async def test_nobody_at_the_address_is_unreachable(centre: Centre, tmp_path: Path) -> None:
    code = replace(await centre.invite("qx"), address="127.0.0.1:1")

    with pytest.raises(Unreachable):
        await join(joining(tmp_path, code, centre.genesis, wait_s=0.1), world())


async def test_a_mistyped_code_is_refused_with_a_hint(centre: Centre) -> None:
    text = encode_join_code(await centre.invite("qy"))
    changed = text[:-1] + ("0" if text[-1] != "0" else "1")

    with pytest.raises(InvalidInput) as refused:
        decode_join_code(changed)
    assert refused.value.hint


async def test_a_folder_of_one_party_is_not_used_for_another(centre: Centre, tmp_path: Path) -> None:
    with pytest.raises(FederationError):
        await join(joining(tmp_path, await centre.invite("xa"), centre.genesis, wait_s=0.1), world())

    with pytest.raises(Conflict, match="belongs to xa"):
        await join(joining(tmp_path, await centre.invite("xb"), centre.genesis, wait_s=0.1), world())
