"""`gsp answer`: what another Party asked is answered over this officer's signature."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from federation.errors import Conflict, InvalidInput
from federation.identity import MessageId
from federation.ports import ReceivedQuery
from federation.query.answer import Answer
from federation.query.codes import Automation, HandlingCode, Outcome, Refusal
from federation.query.query import Query
from node.cli.answer_file import blank_answer, checked, edited, read_answer
from node.cli.attachments import Brought, attach_option, bring, describe, size_words
from node.cli.documents import answer_document, received_document
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, QueryId, Sentence, Word, desk_options
from node.cli.output import remark, show
from node.cli.session import Session, Surroundings, pass_surroundings, session
from node.cli.signing import sign_answer
from node.cli.words import answer_lines, party, received_state
from node.use_cases.desk_values import InboxView


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Where the answer comes from (one of the first four) and what is changed in it.

    Attributes:
        draft: take what the own repository and the policy propose.
        outcome, refusal: say the same of every code.
        edits: as in `answer_file.edited`.
        text, handling: replace those of the answer; None leaves them.
    """

    draft: bool
    file: Path | None
    refusal: Refusal | None
    outcome: Outcome | None
    edits: tuple[str, ...]
    text: str | None
    handling: HandlingCode | None
    interim: bool
    industry_consulted: bool
    attach: tuple[Path, ...] = ()


@click.command
@click.argument("query", metavar="ID", type=QueryId())
@click.option("--draft", is_flag=True, help="Take the draft from your own records, as gsp inbox ID shows it.")
@click.option("--file", type=FILE, help="Take a JSON file of the same shape as the draft in gsp inbox ID --json.")
@click.option(
    "--refuse", "refusal", metavar="REASON", type=Word(Refusal), help=f"Say nothing, for this reason: {', '.join(Refusal)}."
)
@click.option(
    "--outcome",
    type=Word(Outcome, without=frozenset({Outcome.REFUSED})),
    help="Say this of every code; with found, say more with --set.",
)
@click.option(
    "--set", "edits", multiple=True, metavar="EDIT", help="a.date=2026-01-02 or c=not-held; 2:a.date=... for the second code."
)
@click.option("--text", type=Sentence(), help="Words to go with it.")
@click.option("--handling", type=Word(HandlingCode), help="What the other Party may do with it.")
@click.option("--interim", is_flag=True, help="More will follow.")
@click.option("--industry-consulted", is_flag=True, help="The industry had to be asked (Articles 8.12 and 8.13).")
@attach_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@desk_options
@pass_surroundings
def answer(
    surroundings: Surroundings,
    *,
    query: MessageId,
    draft: bool,
    file: Path | None,
    refusal: Refusal | None,
    outcome: Outcome | None,
    edits: tuple[str, ...],
    text: str | None,
    handling: HandlingCode | None,
    interim: bool,
    industry_consulted: bool,
    attach: tuple[Path, ...],
    yes: bool,
    profile_folder: Path | None,
    as_json: bool,
) -> int:
    """Answer a query that came in. What will be said is shown, and nothing is sent without a yes."""
    if as_json and not yes:
        raise InvalidInput("--json cannot ask for confirmation", hint="look at the query first, then give --yes as well")
    wording = Wording(
        draft=draft,
        file=file,
        refusal=refusal,
        outcome=outcome,
        edits=edits,
        text=text,
        handling=handling,
        interim=interim,
        industry_consulted=industry_consulted,
        attach=attach,
    )
    return asyncio.run(_answer(query, wording, surroundings, profile_folder, ask_first=not yes, as_json=as_json))


async def _answer(
    query: MessageId,
    wording: Wording,
    surroundings: Surroundings,
    profile_folder: Path | None,
    *,
    ask_first: bool,
    as_json: bool,
) -> int:
    brought = describe(wording.attach)
    async with session(surroundings, profile_folder) as officer:
        view = await officer.desk.inbox_entry(query)
        if view.received.answer_id is not None:
            raise Conflict("the query is answered already", hint="`gsp inbox` shows what still waits")
        said = compose(view, wording)
        if ask_first and not _confirmed(said, view, brought):
            remark("nothing was sent")
            return ExitCode.FINE
        return await send(officer, view, said, brought, as_json=as_json)


def compose(view: InboxView, wording: Wording) -> Answer:
    """The answer that the officer means.

    Raises:
        InvalidInput: nothing is said, or too much at once, or something that an answer cannot say.
    """
    base = _base(view.query, view.draft, wording)
    changed = edited(base, wording.edits)
    return checked(
        replace(
            changed,
            automation=Automation.ASSISTED if wording.draft else Automation.MANUAL,
            final=changed.final and not wording.interim,
            handling=wording.handling or changed.handling,
            text=wording.text if wording.text is not None else changed.text,
            industry_consulted=changed.industry_consulted or wording.industry_consulted,
        )
    )


def _base(query: Query, draft: Answer, wording: Wording) -> Answer:
    given = [wording.draft, wording.file is not None, wording.refusal is not None, wording.outcome is not None]
    if sum(given) > 1:
        raise InvalidInput("--draft, --file, --refuse and --outcome exclude each other")
    if wording.draft:
        return draft
    if wording.file is not None:
        return read_answer(wording.file)
    if wording.refusal is not None:
        return blank_answer(query, Outcome.REFUSED, wording.refusal)
    if wording.outcome is not None or wording.edits:
        return blank_answer(query, wording.outcome or Outcome.FOUND)
    raise InvalidInput(
        "the answer says nothing yet", hint="take the --draft, a --file, an --outcome with --set, or --refuse with a reason"
    )


def _confirmed(said: Answer, view: InboxView, brought: Sequence[Brought]) -> bool:
    show({}, _preview(said, view, brought), as_json=False)
    return click.confirm("Sign and send this answer?", err=True)


def _preview(said: Answer, view: InboxView, brought: Sequence[Brought]) -> Iterator[str]:
    yield f"Answer    to {party(view.received.peer, view.peer_name)}, query {view.received.message_id.hex()}"
    yield from (f"Attached  {one.facts.name}, {size_words(one.facts.size)}" for one in brought)
    yield from answer_lines(said)


async def send(officer: Session, view: InboxView, said: Answer, brought: Sequence[Brought] = (), *, as_json: bool) -> int:
    """Answer, and tell what became of the query."""
    received = await answer_at_desk(officer, view, said, brought)
    sent = f"Signed and on its way to {party(received.peer, view.peer_name)}; the query is now: {received_state(received)}"
    show({**received_document(received), "answer": answer_document(said)}, [sent], as_json=as_json)
    return ExitCode.FINE


async def answer_at_desk(officer: Session, view: InboxView, said: Answer, brought: Sequence[Brought] = ()) -> ReceivedQuery:
    """Let the node prepare it, look at what it prepared, sign and send."""
    files = await bring(officer, brought)
    prepared = await officer.desk.prepare_answer(view.received.message_id, said, attachments=files)
    signature = sign_answer(
        prepared,
        answer=said,
        received=view.received,
        attached=[one.facts for one in brought],
        profile=officer.profile,
        now=officer.clock.now(),
    )
    return await officer.desk.submit_answer(prepared.message_id, signature)
