"""Proofs of many queries, one file each. A run that was stopped goes on where it was: a file that is there is not made again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation import limits
from federation.errors import Conflict, Forbidden, InvalidInput, NotFound
from federation.evidence.bundle import Disclosure
from federation.identity import MessageId
from node import limits as node_limits
from node.cli.exit_codes import ExitCode
from node.cli.output import Document, show
from node.cli.session import Session, Surroundings, session

DISCLOSED: Final = {
    Disclosure.NONE: "without the content",
    Disclosure.STATEMENTS: "without the content, with the statements that officers signed",
    Disclosure.QUERY: "with what was asked: whoever has the file can read it",
    Disclosure.ANSWERS: "with what was answered: whoever has the file can read it",
    Disclosure.ALL: "with the content: whoever has the file can read it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """Which proofs are wanted: those of some queries, or of a time.

    Attributes:
        since, until: Unix seconds; None where no time was named.
        received: of a time, those that came in; otherwise those that were asked.
    """

    queries: tuple[MessageId, ...]
    since: int | None
    until: int | None
    received: bool
    disclose: Disclosure


async def export_many(many: Many, folder: Path, surroundings: Surroundings, profile_folder: Path | None, *, as_json: bool) -> int:
    """Write a file for each. What cannot be proved is told, and stops nothing."""
    if (many.since is None) == (not many.queries):
        raise InvalidInput("name the queries, or a time with --since")
    made: list[str] = []
    there: list[str] = []
    refused: list[Document] = []
    folder.mkdir(parents=True, exist_ok=True)
    async with session(surroundings, profile_folder) as officer:
        async for query in _wanted(many, officer):
            file = folder / f"{query.hex()}.proof"
            if file.exists():
                there.append(query.hex())
                continue
            if len(made) == node_limits.PROOFS_PER_RUN_MAX:
                raise Conflict(
                    f"{len(made)} proofs were written to {folder}, and there are more", hint="run it again: it goes on from here"
                )
            try:
                keep_evidence(file, await officer.desk.proof(query, disclose=many.disclose))
            except (Conflict, NotFound, Forbidden) as error:
                refused.append({"id": query.hex(), "code": error.code, "message": error.message})
            else:
                made.append(query.hex())
    document = {"folder": str(folder), "disclosed": many.disclose, "made": made, "there": there, "refused": refused}
    lines = [f"{folder}: {len(made)} proofs, {DISCLOSED[many.disclose]}; {len(there)} were there"]
    show(document, [*lines, *(f"{one['id']}: no proof: {one['message']}" for one in refused)], as_json=as_json)
    return ExitCode.FINE


async def _wanted(many: Many, officer: Session) -> AsyncIterator[MessageId]:
    """The named ones, or those of the time, newest first."""
    for query in many.queries:
        yield query
    if many.since is None:
        return
    before = many.until if many.until is not None else int(officer.clock.now()) + 1
    seen: set[MessageId] = set()
    while True:
        page = await _page(officer, before, received=many.received)
        new = [(at, one) for at, one in page if one not in seen and at >= many.since]
        for _, one in new:
            seen.add(one)
            yield one
        if len(page) < limits.PAGE_ROWS_MAX or page[-1][0] < many.since:
            return
        if not new:
            raise Conflict("more queries of one second than a page shows", hint="name their ids, as `gsp queries` lists them")
        before = page[-1][0] + 1  # those of the last second once more: the page may have ended among them


async def _page(officer: Session, before: int, *, received: bool) -> list[tuple[int, MessageId]]:
    if received:
        return [(one.received, one.message_id) for one in await officer.desk.inbox(before=before, rows=limits.PAGE_ROWS_MAX)]
    return [(one.created, one.message_id) for one in await officer.desk.queries(before=before, rows=limits.PAGE_ROWS_MAX)]


def keep_evidence(path: Path, raw: bytes) -> None:
    """Evidence never replaces other evidence, and is nobody else's to read."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
    except FileExistsError:
        raise Conflict(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
