"""`gsp journal` over a real file, as an administrator types it."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from federation.evidence.account import DifferenceKind, Judgement, SignedTelling
from federation.ports import Alarm, Change, ComparedDay, Difference, Reconciled, Standing
from node.__main__ import main
from node.cli.exit_codes import ExitCode
from node.store.exchange import SqliteExchange
from node.store.vault import Vault
from node.use_cases.desk_values import Health
from node.use_cases.journal_checks import journal_checks
from tests.support import samples
from tests.support.memory_stores import MemoryExchange
from tests.support.samples import QM, QN, message_id

DAY = 20_000
AT = (DAY + 1) * 86_400
TELLING = SignedTelling(statement=b"listing", signature=bytes(64))
STANDING = Standing(peer=QN, visited=AT, account=TELLING)


def compared(day, *, agreed, they_have):
    return ComparedDay(day=day, compared=AT, agreed=agreed, sent=42, they_have=they_have, received=7, they_sent=7)


LOST = Difference(kind=DifferenceKind.LOST_THERE, message_id=message_id(0xABC), day=DAY, found=AT, evidence=TELLING)
DIFFERS = Reconciled(
    standing=STANDING,
    days=(compared(DAY, agreed=False, they_have=41), compared(DAY - 1, agreed=True, they_have=42)),
    differences=(LOST,),
)
ALARM = Alarm(judgement=Judgement.REWRITTEN, epoch=1, size=12, found=AT, proof=b"two statements")


@pytest.fixture
def home(tmp_path):
    async def write(*found):
        vault = Vault(b"k" * 32, entropy=os.urandom)
        async with SqliteExchange.open(tmp_path / "exchange.sqlite", vault=vault) as store:
            await store.commit(Change(leaves=(samples.leaf("one"), samples.leaf("two")), reconciled=found))
        return tmp_path

    return write


def gsp(*words):
    result = CliRunner().invoke(main, [*map(str, words)], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result.output


async def test_a_missing_message_is_told_in_words_and_named(home):
    folder = await home(DIFFERS)
    code, output = gsp("journal", "status", "--home", folder)

    assert code == ExitCode.WARNING
    assert "qn  agreed up to 2024-10-03" in output
    assert "2024-10-04: they hold 41 of our 42, and we hold 7 of their 7" in output
    assert f"{message_id(0xABC).hex()}, of 2024-10-04: they receipted and do not have; sent again by itself" in output
    code, output = gsp("journal", "status", "--home", folder, "--json")
    (peer,) = json.loads(output)["peers"]
    assert (code, peer["agreed_up_to"], peer["differences"][0]["kind"]) == (ExitCode.WARNING, "2024-10-03", "lost-there")


async def test_an_alarm_ends_with_two_and_its_proof_is_written_once(home, tmp_path):
    folder = await home(DIFFERS, Reconciled(standing=STANDING, alarms=(ALARM,)))
    code, output = gsp("journal", "status", "--home", folder)

    assert code == ExitCode.BAD
    assert "ALARM of" in output
    assert gsp("journal", "export", "qn", "--home", folder, "-o", tmp_path / "proof")[0] == ExitCode.FINE
    assert (tmp_path / "proof").read_bytes() == ALARM.proof
    with pytest.raises(Exception, match="there already"):
        gsp("journal", "export", "qn", "--home", folder, "-o", tmp_path / "proof")
    with pytest.raises(Exception, match="nothing that qm signed"):
        gsp("journal", "export", "qm", "--home", folder, "-o", tmp_path / "other")


async def test_a_journal_that_nobody_touched_holds_and_an_empty_one_says_so(home):
    folder = await home()
    assert gsp("journal", "status", "--home", folder)[0] == ExitCode.FINE
    code, output = gsp("journal", "check", "--home", folder, "--json")

    assert (code, json.loads(output)["holds"], json.loads(output)["records"]) == (ExitCode.FINE, True, 2)


async def test_the_doctor_tells_alarms_differences_and_silence(home):
    store = MemoryExchange()
    assert [check.health for check in await journal_checks(store, now=AT)] == [Health.GOOD, Health.GOOD]
    silent = Reconciled(standing=Standing(peer=QM, problem="unreachable", failing_since=AT))
    await store.commit(Change(reconciled=(DIFFERS, silent)))
    assert [check.health for check in await journal_checks(store, now=AT + 60)] == [Health.GOOD, Health.WARNING]
    differing = (await journal_checks(store, now=AT + 60))[1]
    assert differing.words == "qn: 1 that they receipted and do not have"
    await store.commit(Change(reconciled=(Reconciled(standing=STANDING, alarms=(ALARM,)),)))
    later = await journal_checks(store, now=AT + 4 * 86_400)
    assert [check.health for check in later] == [Health.BAD, Health.WARNING, Health.WARNING]
    assert "qm (unreachable)" in later[2].words
