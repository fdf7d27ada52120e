"""Joining, when the power went off at the worst moment: the same command goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.identity import NodeName, OfficerName, PartyId
from node.cli import first_officer
from node.cli.next_key import keep_next_key
from node.cli.profile import read_profile
from node.joining import Joined
from tests.support.treaty import Treaty, secret


def test_a_next_party_key_that_was_shown_before_the_power_went_off_is_no_obstacle_and_not_lost(tmp_path: Path) -> None:
    for seed in ("first", "second", "third"):
        keep_next_key(tmp_path, PartyId("qm"), seed)

    assert (tmp_path / "next-party-key-qm.txt").read_text().splitlines()[1] == "third"
    others = sorted(path.read_text().splitlines()[1] for path in tmp_path.glob("next-party-key-qm.unused-*.txt"))
    assert others == ["first", "second"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_a_first_officer_whose_profile_was_cut_off_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    treaty = Treaty.make(seed=91)
    material = treaty.admit("qm")
    joined = Joined(
        party=material.party,
        fingerprint="",
        node=NodeName(party=material.party, node_id="n1", domain=treaty.domain),
        desk="127.0.0.1:7001",
        officer=OfficerName(party=material.party, officer_id=material.officer.name.officer_id, domain=treaty.domain),
        officer_seed=secret(treaty.seed, "officer qm first"),
        officer_certificate=material.officer.certificate,
        party_ca=material.ca.certificate,
    )

    def power_cut(folder: Path, **_named: object) -> None:
        folder.mkdir(parents=True)
        (folder / "officer.toml").write_text("half of ")
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(first_officer, "write_profile", power_cut)
        with pytest.raises(KeyboardInterrupt):
            first_officer.write_first_profile(tmp_path, joined)
    folder = first_officer.write_first_profile(tmp_path, joined)

    assert read_profile(folder).officer == joined.officer
