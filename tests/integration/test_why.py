"""`gsp why` and `gsp peers` at real nodes: real files, real connections, one Party that goes away and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from federation import limits
from federation.errors import InvalidInput, NotFound
from node import __version__
from node.cli.peer_words import peers_table
from node.cli.peers import peer_document
from node.cli.why_document import explanation_document
from node.cli.why_words import explanation_lines, summary
from node.clock import SystemClock
from node.use_cases import peer_book
from node.use_cases.parts import Participant
from node.use_cases.why_values import Explanation, Situation, Weather
from tests.support.centre import Centre, a_centre
from tests.support.houses import House, acquainted, ask, ends_answered, house, until


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with a_centre(tmp_path_factory.mktemp("treaty") / "secretariat") as centre:
        yield centre


async def why(node: Participant, home: House, prefix: str) -> Explanation:
    return await node.desk.why(home.officer.name, prefix)


async def test_a_party_that_goes_away_and_comes_back_is_seen_at_both_ends_in_words(centre, tmp_path, monkeypatch):
    monkeypatch.setattr(peer_book, "PEER_SEEN_WRITE_S", 0.0)
    qm, qn = await house(centre, tmp_path, "qm"), await house(centre, tmp_path, "qn")
    async with qm.running() as asker:
        async with qn.running() as answerer:
            await acquainted(asker, answerer)
            first = await ask(asker, qm.officer, qn.party, "QN1")
            at_once = await why(asker, qm, first.asked.message_id.hex()[:12])
        view = await ask(asker, qm.officer, qn.party, "QN1")
        query = view.asked.message_id
        away = await why(asker, qm, query.hex())
        (cloudy,) = await asker.desk.peers(qm.officer.name, qn.party)
        async with qn.running() as answerer:
            await ends_answered(asker, qm.officer, view)
            back = await why(asker, qm, query.hex())
            there = await why(answerer, qn, query.hex())
            by_answer = await why(asker, qm, back.lines[-1].event.message_id.hex())
            (fair,) = await asker.desk.peers(qm.officer.name, qn.party)
            await until(lambda: answerer.desk._weather._book.of(qm.party).heard)
            (seen_there,) = await answerer.desk.peers(qn.officer.name, None)

    now = SystemClock().now()
    assert at_once.situation in {Situation.ANSWERED, Situation.DOES_NOT_KNOW}
    assert (away.situation, away.problem) == (Situation.UNREACHABLE, "unreachable")
    assert view.why is not None
    assert view.why.situation is Situation.UNREACHABLE
    assert "nobody answers there" in "\n".join(explanation_lines(away, now=now))
    assert (cloudy.weather, cloudy.waiting, cloudy.rows[0].message_id) == (Weather.UNREACHABLE, 1, query)
    assert cloudy.seen.failures > 0

    assert back.situation is at_once.situation
    assert by_answer == back
    assert "tried " in summary(back, now=now)
    assert ", delivered " in summary(back, now=now) or ", an answer came " in summary(back, now=now)
    assert explanation_document(back, now=now)["timeline"][1]["reason"] == "unreachable"
    assert there.situation in {Situation.ANSWER_DELIVERED, Situation.QUEUED}
    assert summary(there, now=now).startswith("received ")

    assert (fair.weather, fair.waiting, fair.seen.failures) == (Weather.FAIR, 0, 0)
    assert fair.seen.version == seen_there.seen.version == __version__
    assert fair.seen.round_trips_ms
    assert abs(fair.seen.offset_ms) < 1_000
    for seen in (fair.seen, seen_there.seen):
        assert 0.9 * limits.NODE_CERTIFICATE_LIFE_S < seen.certificate_ends - now < limits.NODE_CERTIFICATE_LIFE_S
    assert __version__ in peers_table([fair], now=now)[1]
    assert peer_document(fair)["delay_ms"] >= 0


async def test_an_id_that_is_not_here_and_one_that_is_none_are_two_things(centre, tmp_path):
    xw = await house(centre, tmp_path, "xw")
    async with xw.running() as node:
        with pytest.raises(NotFound):
            await why(node, xw, "abcdef")
        with pytest.raises(InvalidInput):
            await why(node, xw, "query")
        with pytest.raises(NotFound):
            await node.desk.peers(xw.officer.name, xw.party)
