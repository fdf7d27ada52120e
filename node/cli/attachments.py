"""`gsp attachments`, and `--attach` of the verbs that send: files go in whole and signed, and come out whole and under safe names."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path
from typing import Final

import click

from federation import limits
from federation.delivery.attachment import AttachmentState
from federation.envelope.attachment import HEAD_BYTES, AttachmentId, FileFacts, check_name, looks_like
from federation.errors import Conflict, DeadlinePassed, InvalidInput, Oversized, Unauthentic, Unreachable
from federation.identity import MessageId
from node import limits as node_limits
from node.cli.exit_codes import ExitCode
from node.cli.options import FILE, QueryId, desk_options
from node.cli.output import Document, columns, remark, rfc3339, show
from node.cli.session import Session, Surroundings, pass_surroundings, session
from node.rpc.attachment_desk import AttachmentDeskClient
from node.use_cases.attachment_desk import AttachmentView

attach_option: Final = click.option(
    "--attach", "attach", multiple=True, type=FILE, help="A photo or document to go with it; may be given several times."
)

_NUMBERS_MAX: Final = 999
_HERE: Final = frozenset({AttachmentState.ARRIVED, AttachmentState.RECEIPTED, AttachmentState.OFFERED, AttachmentState.DELIVERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A file that goes with a message, as it was when it was read."""

    path: Path
    facts: FileFacts


def describe(paths: Sequence[Path]) -> tuple[Brought, ...]:
    """Look at files before anything is sent.

    Raises:
        InvalidInput, Oversized: one cannot be attached.
    """
    if len(paths) > limits.ATTACHMENTS_PER_MESSAGE_MAX:
        raise Oversized(
            f"a message takes at most {limits.ATTACHMENTS_PER_MESSAGE_MAX} files", hint="send the others with another"
        )
    brought = tuple(Brought(path=path, facts=_facts(path)) for path in paths)
    if len({one.facts.name.casefold() for one in brought}) != len(brought):
        raise InvalidInput("two of the files have the same name", hint="rename one of them")
    return brought


def _facts(path: Path) -> FileFacts:
    name = unicodedata.normalize("NFC", path.name)
    media_type = check_name(name)
    size, hashed, head = 0, sha512(), b""
    with path.open("rb") as file:
        while piece := file.read(node_limits.UPLOAD_CHUNK_BYTES):
            size, head = size + len(piece), head or piece[:HEAD_BYTES]
            hashed.update(piece)
            if size > limits.ATTACHMENT_BYTES_MAX:
                break  # the facts refuse it
    facts = FileFacts(name=name, media_type=media_type, size=size, sha512=hashed.digest())
    if not looks_like(media_type, head):
        raise InvalidInput(f"{name} is no {media_type}, which its name says", hint="give it the name of what it is")
    return facts


async def bring(officer: Session, brought: Sequence[Brought]) -> tuple[AttachmentId, ...]:
    """Give files to the own node, which encrypts them as they come; one piece at a time is in memory.

    Raises:
        InvalidInput: one changed since it was looked at.
    """
    desk = AttachmentDeskClient(officer.desk)
    return tuple([await _bring(desk, one) for one in brought])


async def _bring(desk: AttachmentDeskClient, one: Brought) -> AttachmentId:
    identifier, offset = await desk.begin(one.facts), 0
    with one.path.open("rb") as file:
        while piece := file.read(node_limits.UPLOAD_CHUNK_BYTES):
            try:
                offset = await desk.add(identifier, offset, piece)
            except (Unreachable, DeadlinePassed):  # the same piece may come again
                offset = await desk.add(identifier, offset, piece)
    if offset != one.facts.size:
        raise InvalidInput(f"{one.facts.name} changed while it was read", hint="attach it again")
    return identifier


@click.command
@click.argument("query", metavar="ID", type=QueryId())
@click.option(
    "--save",
    "folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Write the files that are here into this folder; nothing there is overwritten.",
)
@desk_options
@pass_surroundings
def attachments(
    surroundings: Surroundings, *, query: MessageId, folder: Path | None, profile_folder: Path | None, as_json: bool
) -> int:
    """List the files that go with a query and its answers, or save them."""
    return asyncio.run(_attachments(query, folder, surroundings, profile_folder, as_json=as_json))


async def _attachments(
    query: MessageId, folder: Path | None, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool
) -> int:
    async with session(surroundings, profile_folder) as officer:
        desk = AttachmentDeskClient(officer.desk)
        views = await desk.attachments(query)
        saved: dict[AttachmentView, Path] = {}
        if folder is not None:
            for view in views:
                if view.state in _HERE:
                    saved[view] = await save(desk, query, view, folder)
    show({"attachments": [_document(view, saved.get(view)) for view in views]}, _lines(views, saved), as_json=as_json)
    missing = [view for view in views if view.state not in _HERE]
    if folder is None or not missing:
        return ExitCode.FINE
    remark(f"{len(missing)} of {len(views)} files are not here yet; the node goes on by itself")
    return ExitCode.LATER


async def save(desk: AttachmentDeskClient, query: MessageId, view: AttachmentView, folder: Path) -> Path:
    """Write one file under its own name, or that with a number, after all of it has been verified.

    Raises:
        Unauthentic: it is not the file that its message names; nothing is left of it.
        Conflict: too many files of that name lie there.
    """
    part = folder / f".gsp-{secrets.token_hex(8)}.part"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            await _receive(desk, query, view, file.write)
        return _placed(part, folder, view.facts.name)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


async def _receive(desk: AttachmentDeskClient, query: MessageId, view: AttachmentView, write: Callable[[bytes], object]) -> None:
    """All of it, going on where it was cut as long as each try brings something."""
    size, hashed, head = 0, sha512(), b""
    while True:
        before = size
        try:
            async with aclosing(desk.fetch(query, view, offset=size)) as pieces:
                async for piece in pieces:
                    size, head = size + len(piece), (head + piece[:HEAD_BYTES])[:HEAD_BYTES]
                    if size > view.facts.size:
                        raise Unauthentic("the node gives more of a file than there is")
                    hashed.update(piece)
                    write(piece)
            break
        except (Unreachable, DeadlinePassed):
            if size == before:
                raise
    if (size, hashed.digest()) != (view.facts.size, view.facts.sha512):
        raise Unauthentic("a file is not the one that its message names")
    if not looks_like(view.facts.media_type, head):
        raise Unauthentic(f"a file is no {view.facts.media_type}, which it is said to be", hint="ask the Party what it sent")


def _placed(part: Path, folder: Path, name: str) -> Path:
    """Move it to a name that is free: taken for ourselves first, so that nobody's file is overwritten."""
    check_name(name)
    stem, dot, ending = name.rpartition(".")
    for number in range(1, _NUMBERS_MAX + 1):
        target = folder / (name if number == 1 else f"{stem} ({number}){dot}{ending}")
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            continue
        part.replace(target)
        return target
    raise Conflict("too many files of that name lie in the folder", hint="save into another folder")


def _lines(views: Sequence[AttachmentView], saved: dict[AttachmentView, Path]) -> Iterator[str]:
    if not views:
        yield "No files go with this query or its answers."
        return
    rows = [("FILE", "SIZE", "FROM", "STATE")]
    for view in views:
        words = state_words(view)
        if view in saved:
            words = f"{words}; saved as {saved[view].name}"
        rows.append((view.facts.name, size_words(view.facts.size), view.sender, words))
    yield from columns(rows)


def state_words(view: AttachmentView) -> str:
    """Where a file stands, for people."""
    match view.state:
        case AttachmentState.WAITING:
            words = f"{100 * view.here // view.whole} % here" if view.here else "waiting"
            return f"{words} ({_PROBLEMS.get(view.problem, view.problem)})" if view.problem else words
        case AttachmentState.ARRIVED | AttachmentState.RECEIPTED:
            return "arrived"
        case AttachmentState.OFFERED:
            return "waiting: the other Party has not fetched it yet"
        case AttachmentState.DELIVERED:
            return "delivered"
        case AttachmentState.GONE:
            return "not here any more"


_PROBLEMS: Final = {
    "unreachable": "the other node did not answer",
    "overloaded": "so many files were sent that the rest comes later",
    "store-unavailable": "this node has no room for it now",
    "not-found": "the other Party does not have it any more",
    "unauthentic": "what came was another file",
    "malformed": "what came was another file",
    "forbidden": "the other node refuses it",
}


def size_words(size: int) -> str:
    """A size for people."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _document(view: AttachmentView, saved: Path | None) -> Document:
    return {
        "message_id": view.message_id.hex(),
        "attachment_id": view.attachment_id.hex(),
        "sender": view.sender,
        "name": view.facts.name,
        "media_type": view.facts.media_type,
        "size": view.facts.size,
        "sha512": view.facts.sha512.hex(),
        "state": view.state,
        "here": view.here,
        "whole": view.whole,
        "changed": rfc3339(view.changed),
        "problem": view.problem,
        "saved": str(saved) if saved is not None else None,
    }
