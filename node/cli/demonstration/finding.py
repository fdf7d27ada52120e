"""Chapters 1 to 4: from a code in the hand to the Party that can speak of it."""

from __future__ import annotations

from typing import Final

from federation.errors import InvalidInput, UnknownParty
from federation.identity import party_id
from federation.query.codes import Automation, Outcome
from federation.query.items import FieldName, Item
from node.cli.choice import choose
from node.cli.demonstration.pictures import draw_case_label, draw_pack
from node.cli.demonstration.rendering import candidate_lines
from node.cli.demonstration.stage import Stage, told
from node.cli.demonstration.teller import require
from node.cli.documents import resolution_document
from node.use_cases.desk_values import Membership

_DATA_MATRIX: Final = "]d1"
"""How a scanner says that what follows came from a Data Matrix."""
CIS_CODE: Final = "00000046198488X?io+qCABm8wAYa"
"""A sample code from public programs (config/patterns/russia.toml); several marking systems share its form."""


async def pack_found(stage: Stage) -> None:
    """A photo of a pack, one question, an answer by itself."""
    teller, code = stage.teller, stage.code("qn", "pack-sold")
    picture = stage.federation.folder / "pack.png"
    draw_pack(code, picture)
    teller.say(
        f"A customs officer of {stage.name('qm')} finds cigarettes in the boot of a car. She photographs the square code on a pack. "
        f"Her own node reads the code and sees at once that {stage.name('qn')} has issued it: {stage.name('qn')} has told everybody "
        "what its codes look like. No central office is asked, and nobody holds a list of all codes."
    )
    scan = stage.read_picture(picture)
    teller.say(
        f"Read from the photo: {scan.removeprefix(_DATA_MATRIX)}. She asks, says why it is necessary, and signs with her own key. The "
        "question travels sealed, to one Party only."
    )
    view = await stage.ask(scan, necessity="Cigarettes without papers in the boot of a car at the border")
    require(view.asked.peer == "qn", f"the question went to {view.asked.peer}")
    answer, result = stage.final_answer(view, sender="qn", by_officer=False)
    require(result.key == code, "the answer is about another code")
    require(result.outcome is Outcome.FOUND, f"the outcome is {result.outcome}")
    require(answer.answer.automation is Automation.AUTOMATIC, f"the answer is {answer.answer.automation}")
    require(result.last_known is not None, "the last known place is missing")
    assert result.last_known is not None  # required above
    teller.say(f"From the photo to the answer it took {teller.chapter.facts['asked_in_s']:.2f} seconds.")
    facts = {
        "origin": told(result, Item.B, FieldName.FACILITY_NAME),
        "origin_country": told(result, Item.A, FieldName.COUNTRY),
        "market": told(result, Item.F, FieldName.MARKET),
        "first_customer": told(result, Item.E, FieldName.NAME),
        "last_known_place": result.last_known.place,
    }
    teller.note(scan=scan, key=result.key, **facts)
    teller.say(
        f"So: made at {facts['origin']}, meant for the market {facts['market']}, first sold to {facts['first_customer']}, last seen "
        f"at {facts['last_known_place']}. The pack was sold in a shop of {stage.name('qn')} and has crossed the border since."
    )
    stage.first = view


async def case_with_several_candidates(stage: Stage) -> None:
    """A code that several Parties may have issued: shown with reasons, never sent by itself, chosen by the officer."""
    teller, code = stage.teller, stage.code("qn", "case-sold")
    picture = stage.federation.folder / "case.png"
    draw_case_label(code, picture)
    teller.say(
        "In a warehouse stands a case with a shipping label. Such numbers are the same all over the world, and the company on the "
        f"label works in several countries. So the code alone does not say who can answer: {code}"
    )
    (resolution,) = await stage.asker.desk.resolve((stage.read_picture(picture),))
    teller.show(candidate_lines(resolution))
    parties = [ranked.candidate.party for ranked in resolution.parties]
    scores = [ranked.candidate.score for ranked in resolution.parties]
    teller.note(key=code, resolution=resolution_document(resolution), candidates=parties)
    require({"qn", "qo", "qp"} <= set(parties), f"the candidates are {', '.join(parties)}")
    require(scores == sorted(scores, reverse=True), "the candidates are not ranked")
    require(all(ranked.candidate.reasons for ranked in resolution.parties), "a candidate has no reason")
    try:
        choose([resolution], None)
    except InvalidInput as error:
        teller.note(refused_to_guess=error.message)
    require("refused_to_guess" in teller.chapter.facts, "the program chose by itself")
    teller.say(
        "The program does not guess: a question to the wrong Party would tell it about somebody else's case. The officer looks at "
        f"the delivery note, which names a factory in {stage.name('qn')}, and chooses."
    )
    view = await stage.ask(resolution.scan.raw, to=party_id("qn"), necessity="A case without a consignee in a bonded warehouse")
    _, result = stage.final_answer(view, sender="qn", by_officer=False)
    require(result.outcome is Outcome.FOUND, f"the outcome is {result.outcome}")
    teller.note(chosen="qn", outcome=result.outcome, first_customer=told(result, Item.E, FieldName.NAME))
    teller.say(f"{stage.name('qn')} knows the case, its packs and its way up to the depot where it was opened.")


async def never_issued(stage: Stage) -> None:
    """A code in the right form that its issuer does not know."""
    teller, code = stage.teller, stage.code("qn", "pack-never-issued")
    teller.say(f"The next pack carries a code that looks right in every character: {code}")
    view = await stage.ask(code, necessity="Packs of poor print in the same car")
    _, result = stage.final_answer(view, sender="qn", by_officer=False)
    require(result.outcome is Outcome.NEVER_ISSUED, f"the outcome is {result.outcome}")
    require(not result.items, "items are told of a code that was never issued")
    teller.note(key=result.key, outcome=result.outcome, said_by=view.answers[-1].sender)
    teller.say(
        f"Only {stage.name('qn')} can say this of its own codes, and it says so over its signature. It is what a court needs of a "
        "forged marking. A node that is down or a code that nobody knows never looks like this."
    )


async def issuer_is_no_party(stage: Stage) -> None:
    """A code whose possible issuers are all outside the federation."""
    teller = stage.teller
    teller.say(f"Another pack has a code of a form that several countries use: {CIS_CODE}")
    (resolution,) = await stage.asker.desk.resolve((CIS_CODE,))
    teller.show(candidate_lines(resolution))
    parties = [ranked.candidate.party for ranked in resolution.parties]
    teller.note(key=CIS_CODE, resolution=resolution_document(resolution), candidates=parties)
    require({"ru", "kz", "uz"} <= set(parties), f"the candidates are {', '.join(parties)}")
    others = {ranked.membership for ranked in resolution.parties} - {Membership.NOT_A_PARTY}
    require(not others, "a State outside this federation is shown as a Party")
    try:
        await stage.ask(CIS_CODE, to=party_id(parties[0]), necessity="Packs of a foreign make in the same car")
    except UnknownParty as error:
        teller.note(refused=error.code, message=error.message)
    require("refused" in teller.chapter.facts, "a question went to a State that is not a Party")
    teller.say(
        "The two letters are the countries' codes of ISO 3166. None of them takes part in this federation, so nothing was sent. Not a "
        "Party: use another channel, such as a letter to its customs service. The officer knows now to whom to write it."
    )
