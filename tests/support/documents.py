"""The parts of the documents that are made from the code. `make docs` writes them, `tests/test_docs.py` compares them.

    <!-- generated: help gsp ask -->
    ...
    <!-- end -->

What stands behind the colon is a word of `MAKERS` and its arguments.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from click.testing import CliRunner

from federation import errors, limits
from federation.errors import FederationError
from federation.query import lifecycle
from node import limits as node_limits
from node.__main__ import main
from node.cli import words
from node.cli.exit_codes import MEANINGS, exit_code
from node.rpc.errors import to_status
from tests.support.checkout import ROOT, files, module_name, text, tree
from tests.support.screens import pictures

MARKED: Final = re.compile(r"(<!-- generated: (?P<what>.+?) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
COLUMNS: Final = 100


def filled(document: str) -> str:
    """The document with its generated parts as the code has them now."""
    return MARKED.sub(lambda found: f"{found[1]}{generated(found['what'])}{found['end']}", document)


def generated(what: str) -> str:
    """One generated part."""
    word, _, arguments = what.partition(" ")
    return f"\n{MAKERS[word](arguments)}\n\n"


def commands(group: click.Group | None = None, path: str = "gsp") -> Iterator[tuple[str, click.Command]]:
    """Every command under its full name; of the groups below the first those that do something by themselves."""
    group = main if group is None else group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group) and command.invoke_without_command:
            yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def help_text(command: str) -> str:
    """What `--help` prints on a terminal of a hundred columns."""
    arguments = [*command.split()[1:], "--help"]
    shown = CliRunner().invoke(
        main, arguments, prog_name="gsp", terminal_width=COLUMNS, env={"GSP_OFFICER": None, "GSP_HOME": None}
    )
    assert shown.exit_code == 0, shown.output
    return "\n".join(["```text", *(line.rstrip() for line in shown.output.strip().splitlines()), "```"])


def state_diagram(which: str) -> str:
    """One of the two tables of `federation.query.lifecycle`, as a diagram."""
    table: Mapping[Any, Any] = {"asked": lifecycle.ASKED, "received": lifecycle.RECEIVED}[which]
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in table.items():
        arrows.setdefault((state, following), []).append(event)
    first = next(iter(table))[0]
    lines = [f"    {state} --> {following}: {', '.join(events)}" for (state, following), events in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```"])


def exit_codes(_arguments: str) -> str:
    return table(("code", "meaning"), [(f"`{code.value}`", meaning) for code, meaning in MEANINGS.items()])


def error_tree(error: type[FederationError] = FederationError) -> Iterator[type[FederationError]]:
    """Every class of the tree, parents first."""
    yield error
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from error_tree(child)


def error_table(_arguments: str) -> str:
    rows = [
        (f"`{error.code}`", sentence(error.__doc__ or ""), error.default_hint, f"`{exit_code(error('')).value}`")
        for error in error_tree()
        if error is not FederationError
    ]
    return table(("code", "what happened", "what to do, unless the error says more", "ends with"), rows)


def status_table(_arguments: str) -> str:
    return table(
        ("code", "gRPC status"), [(f"`{error.code}`", f"`{to_status(error('')).number.name}`") for error in error_tree()]
    )


def limit_table(sections: str) -> str:
    """The bounds of some sections of `federation/limits.py` and `node/limits.py`, named with semicolons between."""
    known = limit_sections()
    rows = [
        (f"`{name}`", number(bound(name)), " ".join(reason.split()))
        for section in sections.split("; ")
        for name, reason in known[section]
    ]
    return table(("bound", "value", "why"), rows)


def bound(name: str) -> float:
    """What crosses is bounded in one module, what stays at a node in another."""
    return getattr(limits, name) if hasattr(limits, name) else getattr(node_limits, name)


def limit_sections() -> dict[str, list[tuple[str, str]]]:
    """Names and reasons of all bounds, by the headings between them."""
    return {**sections_of(Path("federation/limits.py")), **sections_of(Path("node/limits.py"))}


def sections_of(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Those of one module."""
    headings = [
        (place, found[1])
        for place, line in enumerate(text(path).splitlines(), start=1)
        if (found := re.match(r"# --- (.+?) -+$", line))
    ]
    sections: dict[str, list[tuple[str, str]]] = {name: [] for _, name in headings}
    for place, name, reason in explained(tree(path).body):
        before = [heading for start, heading in headings if start < place]
        if before:
            sections[before[-1]].append((name, reason))
    return sections


def explained(body: Sequence[ast.stmt]) -> Iterator[tuple[int, str, str]]:
    """Line, name and explanation of each assignment; the explanation is the text below it, or empty."""
    for place, statement in enumerate(body):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            following = body[place + 1] if place + 1 < len(body) else None
            below = following.value if isinstance(following, ast.Expr) else None
            explanation = below.value if isinstance(below, ast.Constant) and isinstance(below.value, str) else ""
            yield statement.lineno, ast.unparse(target), explanation


def number(value: float) -> str:
    """A bound as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def word_table(names: str) -> str:
    """A closed vocabulary: `federation.query.codes.Outcome` and, where the screen shows other words, the table of those."""
    where, _, shown = names.partition(" ")
    module, _, name = where.rpartition(".")
    vocabulary: type[StrEnum] = getattr(importlib.import_module(module), name)
    path = next(path for path in files() if path.suffix == ".py" and module_name(path) == module)
    found = next(one for one in tree(path).body if isinstance(one, ast.ClassDef) and one.name == name)
    meanings = {member: " ".join(meaning.split()) for _, member, meaning in explained(found.body)}
    on_screen: Mapping[Any, str] = getattr(words, shown) if shown else {}
    rows = [(f"`{member}`", on_screen.get(member, "") or meanings[member.name]) for member in vocabulary]
    return table(("word", "meaning"), rows) if all(meaning for _, meaning in rows) else ", ".join(word for word, _ in rows)


def settings_table(names: str) -> str:
    """The fields of a settings class, with what its docstring says of each."""
    module, _, name = names.rpartition(".")
    settings: type[msgspec.Struct] = getattr(importlib.import_module(module), name)
    notes = attributes(settings.__doc__ or "")
    rows = [
        (f"`{field.name}`", "needed" if field.required else f"`{default(field.default)}`", notes[field.name])
        for field in msgspec.structs.fields(settings)
    ]
    return table(("field", "standard", "meaning"), rows)


def default(value: object) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode()


def attributes(docstring: str) -> dict[str, str]:
    """Field and explanation, as the section `Attributes:` of a docstring has them."""
    _, _, section = docstring.partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", section, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in found}


def sentence(docstring: str) -> str:
    return " ".join(docstring.partition("\n\n")[0].split())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


MAKERS: Final[dict[str, Callable[[str], str]]] = {
    "help": help_text,
    "states": state_diagram,
    "exit-codes": exit_codes,
    "errors": error_table,
    "statuses": status_table,
    "limits": limit_table,
    "words": word_table,
    "settings": settings_table,
}


def documents() -> tuple[Path, ...]:
    """Every document, relative to the root."""
    return tuple(path for path in files() if path.suffix == ".md")


def write() -> None:
    """Write the generated parts of every document."""
    for path in documents():
        document = text(path)
        if filled(document) != document:
            (ROOT / path).write_text(filled(document), encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    for path, picture in screens().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(picture, encoding="utf-8")


def screens() -> dict[Path, str]:
    """Every picture of a session, by the file in which it belongs."""
    return {path.parent / "pictures" / f"{name}.svg": svg for path in documents() for name, svg in pictures(text(path)).items()}


if __name__ == "__main__":
    write()
