"""Joining a treaty whose first witness is a Party's running node: what is logged counts when that node has cosigned it."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from federation.errors import Conflict
from federation.identity import PartyId
from node import party as party_node
from node import secretariat
from node.cli.serving import free_address, world
from node.config import SecretariatSettings
from node.joining import join
from node.keystore import Cost
from node.use_cases.founding import found
from node.use_cases.witnessing import witnessing
from tests.support.centre import PASSPHRASE, Centre, admitted, joining

QM = PartyId("qm")


async def test_a_party_joins_when_the_witness_has_cosigned_and_not_before(tmp_path, monkeypatch):
    monkeypatch.setattr(secretariat, "found", functools.partial(found, first_witnesses=(QM,)))
    root = tmp_path / "secretariat"
    settings = SecretariatSettings(
        domain="gsp.example", genesis="0" * 64, listen=free_address("127.0.0.1:0"), join=free_address("127.0.0.1:0")
    )
    made = await secretariat.initialise(
        root, settings=settings, passphrase=PASSPHRASE, founders=3, threshold=2, world=world(), cost=Cost.MINIMAL
    )
    async with secretariat.running(root, PASSPHRASE):
        centre = Centre(root=root, genesis=bytes.fromhex(made.genesis))
        await admitted(centre, tmp_path / "qm", await centre.invite("qm"))  # nobody counts before its node entry is there

        code = await centre.invite("qn")
        with pytest.raises(Conflict):
            await join(joining(tmp_path / "qn", code, centre.genesis, wait_s=0.1), world())
        body = await centre.pending("qn")
        for number in (1, 2):
            centre.approve("qn", body, centre.founder(number))
        await centre.taken("approval-qn-*.done")
        said: list[str] = []
        with pytest.raises(Conflict, match="waits for witnesses: 0 of 1"):
            await join(replace(joining(tmp_path / "qn", code, centre.genesis, wait_s=1.0), tell=said.append), world())
        assert "the directory waits for witnesses: 0 of 1" in said

        async with party_node.running(tmp_path / "qm", PASSPHRASE) as witness:
            joined = await join(joining(tmp_path / "qn", code, centre.genesis), world())
            assert joined.party == "qn"
            view = witnessing(witness.registry)
            assert [(one.party, one.counts) for one in view.witnesses] == [(QM, True)]
        async with party_node.running(tmp_path / "qn", PASSPHRASE) as newcomer:
            assert newcomer.registry.roster.party(PartyId("qn")).node is not None
