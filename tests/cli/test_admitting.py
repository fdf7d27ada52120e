"""A founder signs what the Party read aloud, whatever the Secretariat lays out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.errors import FederationError
from federation.trust.fingerprint import fingerprint
from federation.trust.keys import SoftwareSigner
from federation.wire.directory import encode_entry_body
from node.cli.secretariat import secretariat
from tests.support.treaty import Treaty, secret


@pytest.fixture
def treaty() -> Treaty:
    return Treaty.make(seed=51)


def admit(home: Path, treaty: Treaty, laid_out: bytes, read_aloud: str) -> list[str]:
    """What lies in the tray after a founder has tried to sign."""
    (home / "pending").mkdir()
    (home / "pending" / "qm.admit").write_bytes(laid_out)
    key = home / "founder.key"
    key.write_text(secret(treaty.seed, "founder 0").hex())
    arguments = ["admit", "qm", "--home", str(home), "--fingerprint", read_aloud, "--founder-key", str(key), "--wait", "0"]
    result = CliRunner().invoke(secretariat, arguments)
    assert result.exception is None or isinstance(result.exception, (FederationError, SystemExit)), result.exception
    return [path.name for path in (home / "tray").glob("*.json")]


def test_a_founder_signs_the_entry_that_was_read_aloud(tmp_path: Path, treaty: Treaty) -> None:
    body = encode_entry_body(treaty.admission(treaty.material("qm")))

    assert len(admit(tmp_path, treaty, body, fingerprint(body))) == 1


@pytest.mark.parametrize("swapped", ["party_key", "next_key_hash", "party"])
def test_a_founder_does_not_sign_an_entry_in_which_the_secretariat_put_other_keys(
    tmp_path: Path, treaty: Treaty, swapped: str
) -> None:
    """The CA is the Party's own; whoever has the Party key writes the Party's entries all the same."""
    material = treaty.material("qm")
    true = treaty.admission(material)
    others = {"party_key": SoftwareSigner(bytes(32)).public_key, "next_key_hash": bytes(32), "party": "qn"}
    forged = replace(true, **{swapped: others[swapped]})

    assert admit(tmp_path, treaty, encode_entry_body(forged), fingerprint(encode_entry_body(true))) == []
