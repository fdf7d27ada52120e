"""The chapters in their order, told one after the other; each sees for itself that what it tells is true."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from federation.errors import FederationError, Misuse
from node.cli.demonstration.answering import answered_by_hand, party_down, region_answers
from node.cli.demonstration.evidence import evidence_checked
from node.cli.demonstration.federation import Federation
from node.cli.demonstration.finding import case_with_several_candidates, issuer_is_no_party, never_issued, pack_found
from node.cli.demonstration.stage import Stage
from node.cli.demonstration.teller import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One chapter."""

    title: str
    tell: Callable[[Stage], Awaitable[None]]


OPENING: Final = "A federation starts on this machine"
CHAPTERS: Final = (
    Chapter(title="A pack is found", tell=pack_found),
    Chapter(title="A case label that fits several Parties", tell=case_with_several_candidates),
    Chapter(title="A code that was never issued", tell=never_issued),
    Chapter(title="A code whose issuer is not a Party", tell=issuer_is_no_party),
    Chapter(title="A region answers for its member", tell=region_answers),
    Chapter(title="An answer by hand, and a refusal", tell=answered_by_hand),
    Chapter(title="A Party that is down", tell=party_down),
    Chapter(title="The evidence, checked by a stranger", tell=evidence_checked),
)


async def tell_story(federation: Federation, teller: Teller) -> FederationError | None:
    """Build the federation and tell every chapter, up to the first that does not hold; gives what is wrong with that one."""
    try:
        await _tell(federation, teller)
    except FederationError as error:
        await teller.end(error.message)
        where = f'chapter {teller.chapter.number}, "{teller.chapter.title}", does not hold'
        return Misuse(f"{where}: {error.message}", hint=error.hint)
    return None


async def _tell(federation: Federation, teller: Teller) -> None:
    teller.begin(OPENING)
    teller.say(
        "A Secretariat and five Parties' nodes, each a process of its own, talk over connections on which both sides prove who they "
        "are; two more Parties let a region answer for them. All Parties, codes and goods are invented. Keys are stored with the "
        "weakest protection against guessing, so that the start is quick; a ministry uses the standard one."
    )
    await federation.build(teller.step)
    async with federation.officer("qm") as officer:
        await federation.known_at(officer)
        teller.step(f"{len(federation.process_ids)} nodes run, and have introduced themselves to each other.")
        teller.note(process_ids=federation.process_ids, parties=[member.party for member in federation.cast.parties])
        await teller.end()
        stage = Stage(federation=federation, teller=teller, asker=officer)
        for chapter in CHAPTERS:
            teller.begin(chapter.title)
            await chapter.tell(stage)
            await teller.end()
