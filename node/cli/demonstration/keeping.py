"""How to go on with a federation that is left running: who can ask, what to type, which codes to try."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from node.cli.demonstration.federation import Federation
from node.cli.output import Document, columns

_WHY = "--purpose detection --necessity 'why it is necessary'"


def write_codes(federation: Federation) -> None:
    """Lay down every code that has a story, with the name of the story."""
    rows = [(party, name, code) for party, data in federation.books.by_party.items() for name, code in data.showcases.items()]
    (federation.folder / "codes.txt").write_text("".join(f"{line}\n" for line in columns(rows)), encoding="utf-8")


def guide_lines(federation: Federation) -> Iterator[str]:
    """What to type in another terminal."""
    gsp, folder = _program(), federation.folder
    yield ""
    yield f"The federation keeps running until you press Ctrl-C. Its files stay in {folder}"
    yield ""
    yield "  In another terminal:"
    yield ""
    yield f"    cd {folder}"
    yield f"    export GSP_OFFICER={federation.profiles['qm'].relative_to(folder)}"
    yield f"    {gsp} resolve {federation.books.code('qo', 'pack-exported')}"
    yield f"    {gsp} ask --image pack.png {_WHY}"
    yield f"    {gsp} ask {federation.books.code('qo', 'pack-exported')} {_WHY}"
    yield f"    {gsp} queries"
    yield f"    {gsp} inbox --officer {federation.profiles['qo'].relative_to(folder)}"
    yield f"    {gsp} answer ID --draft --officer {federation.profiles['qo'].relative_to(folder)}"
    yield f"    {gsp} doctor"
    yield ""
    yield "  Officers of the Parties:"
    yield ""
    for member in federation.cast.nodes:
        yield f"    {member.party}  {member.name:<16}{federation.profiles[member.party].relative_to(folder)}"
    yield ""
    yield "  codes.txt     codes of every Party, each with a story of its own"
    yield "  commands.txt  every command that built this federation"
    yield "  logs          one file for each node"


def guide_document(federation: Federation) -> Document:
    """The same for programs."""
    return {
        "folder": str(federation.folder),
        "genesis": federation.genesis,
        "log_key": federation.log_key,
        "officers": {party: str(profile) for party, profile in federation.profiles.items()},
        "codes": {party: dict(data.showcases) for party, data in federation.books.by_party.items()},
    }


def _program() -> str:
    """This program as one types it here."""
    return "gsp" if shutil.which("gsp") else str(Path(sys.executable).with_name("gsp"))
