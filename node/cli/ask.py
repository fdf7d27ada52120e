"""`gsp ask`: resolve, prepare at the node, check, sign here, send, wait, show."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from federation import limits
from federation.identity import PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import Item
from federation.query.lifecycle import AskedState
from node.cli.attachments import attach_option, bring, describe
from node.cli.choice import choose
from node.cli.documents import query_view_document
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, Duration, Items, Recipient, Sentence, Word, desk_options
from node.cli.output import remark, show
from node.cli.scans import gather
from node.cli.session import Session, Surroundings, follow, pass_surroundings, session
from node.cli.signing import sign_query
from node.cli.words import party, query_view_lines
from node.use_cases.desk_values import QueryView, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the officer wants to know, from whom, and why; `Question` says what each field is.

    Attributes:
        to: None leaves the choice to the patterns.
        wait_s: how long to wait for the answer.
        attach: files that go with it.
        unconfirmed: ask a Party that too few others have confirmed.
        lenient: pass over codes that no pattern knows, as a picture of a pack may hold.
    """

    scans: tuple[str, ...]
    to: PartyId | None
    items: frozenset[Item]
    purpose: Purpose
    necessity: str
    handling: HandlingCode
    urgency: Urgency
    reference: str
    deadline_s: int
    wait_s: float
    lenient: bool
    unconfirmed: bool = False
    market_statement: str = ""
    attach: tuple[Path, ...] = ()


@click.command
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--image", type=FILE, help="A photo with a Data Matrix, QR, DotCode or Code 128 symbol.")
@click.option("--to", type=Recipient(), default="auto", show_default=True, help="The Party to ask; auto when there is no doubt.")
@click.option("--necessity", required=True, type=Sentence(), help="Why the answer is necessary, in words (Article 8.9(b)).")
@click.option("--purpose", required=True, type=Word(Purpose), help="What it is necessary for.")
@click.option(
    "--items",
    type=Items(),
    default="all",
    show_default=True,
    help="Letters of Article 8.4.1, such as a,b,f; none: only whether it is known.",
)
@click.option("--handling", type=Word(HandlingCode), default="H1", show_default=True, help="What the receiver may do with it.")
@click.option("--urgent", is_flag=True, help="Goes ahead of other queries.")
@click.option(
    "--market-statement", default="", type=Sentence(), help="What the pack itself says of where it may be sold (Article 8.4.3)."
)
@click.option("--reference", default="", type=Sentence(), help="Your own case number.")
@click.option(
    "--deadline",
    type=Duration(),
    default=limits.QUERY_DEADLINE_S_DEFAULT,
    show_default="7d",
    help="When the answer is needed.",
)
@attach_option
@click.option("--unconfirmed", is_flag=True, help="Ask although too few other Parties have confirmed that Party yet.")
@click.option("--wait", type=Duration(), default="10s", show_default=True, help="How long to wait for it here.")
@desk_options
@pass_surroundings
def ask(
    surroundings: Surroundings,
    *,
    codes: tuple[str, ...],
    image: Path | None,
    to: PartyId | None,
    necessity: str,
    purpose: Purpose,
    items: frozenset[Item],
    handling: HandlingCode,
    urgent: bool,
    market_statement: str,
    reference: str,
    deadline: int,
    attach: tuple[Path, ...],
    unconfirmed: bool,
    wait: int,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Ask a Party what it knows of one or many of its codes."""
    wish = Wish(
        scans=gather(codes, image),
        to=to,
        items=items,
        purpose=purpose,
        necessity=necessity,
        handling=handling,
        urgency=Urgency.URGENT if urgent else Urgency.NORMAL,
        reference=reference,
        deadline_s=deadline,
        wait_s=wait,
        lenient=not codes,
        unconfirmed=unconfirmed,
        market_statement=market_statement,
        attach=attach,
    )
    return asyncio.run(_ask(wish, surroundings, profile_folder, as_json=as_json))


async def _ask(wish: Wish, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool) -> int:
    async with session(surroundings, profile_folder) as officer:
        view = await ask_at_desk(wish, officer)
        if not as_json and wish.wait_s and view.asked.state is AskedState.DELIVERED:
            remark(f"delivered to {party(view.asked.peer, view.peer_name)}; waiting up to {wish.wait_s} s for the answer")
        view = await follow(officer.desk, view, wait_s=wish.wait_s)
    ending = show_query(view, now=surroundings.clock.now(), as_json=as_json)
    if not as_json and ending is ExitCode.LATER:
        remark(f"the node goes on by itself; look again with `gsp queries {view.asked.message_id.hex()}`, or `gsp why` it")
    return ending


async def ask_at_desk(wish: Wish, officer: Session) -> QueryView:
    """From a wish to a query on its way. What is signed is looked at first, because the node prepared it."""
    brought = describe(wish.attach)
    resolutions = await officer.desk.resolve(wish.scans)
    if wish.lenient:
        resolutions = tuple(one for one in resolutions if one.parties) or resolutions
    choice = choose(resolutions, wish.to)
    for line in choice.notes:
        remark(line)
    question = Question(
        party=choice.recipient,
        codes=choice.codes,
        items=wish.items,
        purpose=wish.purpose,
        necessity=wish.necessity,
        handling=wish.handling,
        urgency=wish.urgency,
        reference=wish.reference,
        deadline_s=wish.deadline_s,
        unconfirmed_consent=wish.unconfirmed,
        market_statement=wish.market_statement,
        attachments=await bring(officer, brought),
    )
    prepared = await officer.desk.prepare_query(question)
    signature = sign_query(
        prepared,
        question=question,
        attached=[one.facts for one in brought],
        profile=officer.profile,
        now=officer.clock.now(),
    )
    return await officer.desk.submit_query(prepared.message_id, signature)


def show_query(view: QueryView, *, now: float, as_json: bool) -> ExitCode:
    """Print a query; not yet, as long as there is no final answer."""
    show(query_view_document(view, now=now), query_view_lines(view, now=now), as_json=as_json)
    return ExitCode.FINE if view.asked.state is AskedState.ANSWERED else ExitCode.LATER
