"""A Party that lost every key gets new ones: asked for on its own machine, signed by founders, in force after the waiting time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from federation import limits
from federation.boundary.directory import sign_body
from federation.errors import Conflict, NotFound
from federation.identity import PartyId
from federation.trust.entries import Recover
from federation.trust.keys import SoftwareSigner
from federation.trust.log_copy import LogCopy
from node import party, secretariat
from node.cli.serving import world
from node.config import NodeSettings, write_settings
from node.formats.ceremony import RecoveryFile, read_entry, read_file
from node.keystore import Cost, Keystore
from node.proposing import propose
from node.recovering import Recovering, begin, finish
from node.restored import read_mark
from node.store.tray import Signed, Tray
from node.use_cases import founding
from node.use_cases.parts import Participant
from node.use_cases.verified_log import verify_copy
from tests.support.hall import PASSPHRASE, Hall
from tests.support.treaty import Treaty

QM, QN = PartyId("qm"), PartyId("qn")
REASON = "the safe burnt down"


@pytest.fixture
async def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    """A treaty with qm, and qn as its witness, in which recoveries wait for a second."""
    monkeypatch.setattr(founding, "RECOVERY_WAIT_S", 1)
    monkeypatch.setattr(limits, "OFFER_S", 1)
    monkeypatch.setattr(limits, "COSIGN_AGAIN_S", 1)  # else the second may go by unseen for an hour: a witness cosigns once in it
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    found = Hall(tmp_path)
    await found.found(msgspec.structs.replace(found.plan(), first_witnesses=("qn",)))
    async with secretariat.running(found.home, PASSPHRASE):
        await found.until((found.home / "status.json").exists)
        await found.admit("qn", await found.invite("qn"))
        async with party.running(found.folder / "qn", PASSPHRASE):
            await found.admit("qm", await found.invite("qm"))
            yield found


async def gsp(hall: Hall, *arguments: str | Path) -> tuple[int, dict]:
    """A verb in a process of its own; its document, or its error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", *map(str, arguments), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, problems = await process.communicate()
    return process.returncode, json.loads(told or problems.splitlines()[-1])


async def begun(hall: Hall) -> Path:
    """New keys in a new folder; gives the request."""
    code, document = await gsp(
        hall,
        *("party", "recover", "begin", "--home", hall.folder / "new", "--settings", hall.folder / "qm" / "node.toml"),
        *("--reason", REASON, "--passphrase-file", hall.folder / "passphrase", "--keystore-cost", "minimal"),
    )
    assert code == 0, document
    return Path(document["request"])


async def finished(hall: Hall) -> tuple[int, dict]:
    copy = hall.folder / "copy"
    copy.unlink(missing_ok=True)
    code, document = await gsp(hall, "directory", "export", "--output", copy, "--home", hall.folder / "qn")
    assert code == 0, document
    return await gsp(
        hall,
        *("party", "recover", "finish", copy, "--home", hall.folder / "new"),
        *("--passphrase-file", hall.folder / "passphrase", "--wait", "20"),
    )


def new_key(hall: Hall) -> SoftwareSigner:
    return SoftwareSigner(Keystore.open(hall.folder / "new" / "keystore", PASSPHRASE).get("party"))


async def enact(hall: Hall, request: RecoveryFile) -> None:
    """Proposed by the Secretariat, signed by two founders and with the new Party key."""
    proposed = propose(
        hall.home,
        lambda serial: Recover(
            created=world().now(),
            serial=serial,
            party=QM,
            party_key=bytes.fromhex(request.party_key),
            next_key_hash=bytes.fromhex(request.next_key_hash),
            party_ca=bytes.fromhex(request.party_ca),
            reason=request.reason,
        ),
    )
    entry = read_entry(proposed.path)
    signature = sign_body(entry.kind, entry.body, new_key(hall))
    Tray(hall.home / "tray").put(Signed(kind=entry.kind, entry=entry.digest, signature=signature))
    await hall.enact(proposed)


async def test_a_party_that_lost_its_keys_goes_on_with_new_ones_under_the_same_name(hall: Hall) -> None:
    request = await begun(hall)
    assert await begun(hall) == request
    assert (hall.folder / "new" / "next-party-key-qm.txt").exists()

    code, error = await finished(hall)
    assert (code != 0, error["error"]["code"], "knows nothing of these keys" in error["error"]["message"]) == (
        True,
        "conflict",
        True,
    )

    await enact(hall, read_file(request, RecoveryFile))
    async with asyncio.timeout(30):
        while (told := await finished(hall))[0] != 0:  # until a witness has told the log that a second went by
            assert told[1]["error"]["code"] == "conflict", told
            assert "still waits" in told[1]["error"]["message"] or "knows nothing" in told[1]["error"]["message"]
    assert (told[1]["party"], Path(told[1]["officer"]).is_dir()) == ("qm", True)

    async with party.running(hall.folder / "new", PASSPHRASE) as node:
        record = node.registry.roster.party(QM)
        assert (record.party_key, record.node is not None) == (new_key(hall).public_key, True)
        assert await recognised(node), "no other Party's node has answered under the new certificates"
        assert read_mark(hall.folder / "new") is not None  # its journal goes on in an epoch of its own
        code, shown = await gsp(hall, "directory", "show", "--officer", told[1]["officer"])
        assert (code, {one["party"] for one in shown["parties"]}) == (0, {"qm", "qn"})


async def recognised(node: Participant) -> bool:
    """Whether qn gave its prekeys, which it does after both have verified each other's certificates."""
    async with asyncio.timeout(20):
        while node.keyring.prekey_of(QN, node.registry.roster) is None:
            await asyncio.sleep(0.1)
    return True


async def test_the_lost_folder_is_not_written_over_and_a_folder_without_a_recovery_finishes_nothing(tmp_path: Path) -> None:
    settings = NodeSettings(
        party="qm", name="A Party", domain="gsp.example", genesis="0" * 64, secretariat="127.0.0.1:1", listen="h:1", desk="h:2"
    )
    write_settings(tmp_path / "node.toml", settings)
    wanted = Recovering(
        home=tmp_path,
        settings=settings,
        passphrase=PASSPHRASE,
        cost=Cost.MINIMAL,
        reason=REASON,
        show_next_key=lambda _seed: None,
    )
    with pytest.raises(Conflict, match="holds a node already"):
        begin(wanted, world())
    treaty = Treaty.make(seed=1)
    copy = LogCopy(checkpoint=treaty.checkpoint(), leaves=tuple(treaty.log))
    view = verify_copy(copy, genesis_digest=treaty.genesis_digest)
    with pytest.raises(NotFound, match="holds no recovery"):
        await finish(tmp_path, PASSPHRASE, view, wait_s=1, tell=lambda _words: None, world=world())


def test_a_recovery_that_was_interrupted_before_its_request_was_written_goes_on(tmp_path: Path) -> None:
    settings = NodeSettings(
        party="qm", name="A Party", domain="gsp.example", genesis="0" * 64, secretariat="127.0.0.1:1", listen="h:1", desk="h:2"
    )
    shown: list[str] = []
    wanted = Recovering(
        home=tmp_path / "new",
        settings=settings,
        passphrase=PASSPHRASE,
        cost=Cost.MINIMAL,
        reason=REASON,
        show_next_key=shown.append,
    )
    first = read_file(begin(wanted, world()), RecoveryFile)
    (tmp_path / "new" / "recovery.json").unlink()

    again = read_file(begin(wanted, world()), RecoveryFile)

    assert (again.party_key, len(shown)) == (first.party_key, 2)
    assert again.next_key_hash == sha256(SoftwareSigner(bytes.fromhex(shown[1])).public_key).hexdigest()
