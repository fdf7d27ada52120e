"""The program as a whole: how it starts, how it ends, and what holds for every verb."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from federation import errors
from federation.errors import FederationError
from federation.query.items import ALL_ITEMS, Item
from node import __version__
from node.__main__ import VERBS, main
from node.cli.exit_codes import MEANINGS, ExitCode, exit_code
from node.cli.group import Verb, Verbs
from node.cli.options import Duration, Items, QueryId, Recipient, Sentence
from node.cli.output import columns, printable

ERRORS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, FederationError)]


def run(*words: str):
    return CliRunner().invoke(main, words)


def commands(command: click.Command | None, *path: str):
    """Every command below this one, with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), *path, name)
    else:
        yield path, command


OFFICERS = ("resolve", "ask", "queries", "inbox", "answer", "proof", "directory", "doctor")
LEAVES = {path: command for verb in OFFICERS for path, command in commands(main.get_command(click.Context(main), verb), verb)}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_an_ending_that_is_in_the_table(error):
    assert exit_code(error("something happened")) in MEANINGS


def test_unreachable_never_ends_like_not_found():
    assert exit_code(errors.Unreachable("")) is ExitCode.UNAVAILABLE
    assert exit_code(errors.NotFound("")) is ExitCode.NOT_FOUND


def test_the_help_lists_every_verb_and_every_ending():
    text = run("--help").stdout
    assert all(name in text for name in VERBS)
    assert all(f"{code:>3}  {meaning}" in text for code, meaning in MEANINGS.items())


def test_without_a_verb_the_help_is_shown():
    result = run()
    assert (result.exit_code, result.stdout) == (0, run("--help").stdout)


def test_the_version_is_told():
    assert run("--version").stdout == f"gsp, version {__version__}\n"


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_verb_of_an_officer_has_help_and_json(path):
    assert run(*path, "--help").exit_code == 0
    assert any("--json" in parameter.opts for parameter in LEAVES[path].params)
    assert LEAVES[path].help


def test_the_help_needs_neither_grpc_nor_a_verb():
    script = (
        "import sys\n"
        "from node.__main__ import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name in ('grpc', 'rich', 'cryptography', 'node.cli.ask')], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_errors_are_json_when_json_is_wanted():
    result = run("queries", "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["code"]) == (ExitCode.CONFIGURATION, "invalid-configuration")
    assert error["message"]
    assert "GSP_OFFICER" in error["hint"]
    assert result.stderr == ""


def test_a_wrong_option_is_json_when_json_is_wanted():
    result = run("ask", "--json", "--colour")
    assert json.loads(result.stdout)["error"]["code"] == "invalid-input"
    assert result.exit_code == ExitCode.USAGE


def failing(error: BaseException) -> Verbs:
    """A program whose only verb fails."""

    @click.command
    def fail() -> int:
        raise error

    group = Verbs("gsp", verbs={"fail": Verb(module="nowhere", summary="")})
    group.get_command = lambda _context, _name: fail  # type: ignore[method-assign]  # a verb that fails, in the place of every other
    return group


def test_a_defect_ends_with_its_own_number_and_shows_where():
    result = CliRunner().invoke(failing(ZeroDivisionError("1/0")), ["fail"])
    assert result.exit_code == ExitCode.INTERNAL
    assert "Traceback" in result.stderr
    assert "error: this program failed: ZeroDivisionError" in result.stderr


def test_a_user_who_stops_it_is_no_error():
    result = CliRunner().invoke(failing(KeyboardInterrupt()), ["fail"])
    assert result.exit_code == ExitCode.INTERRUPTED


def test_a_file_problem_that_click_finds_ends_like_a_wrong_argument():
    result = CliRunner().invoke(failing(click.FileError("answer.json", "no such file")), ["fail"])
    assert result.exit_code == ExitCode.USAGE
    assert "answer.json" in result.stderr


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("30s", 30), ("15m", 900), ("8h", 28_800), ("7d", 604_800)])
def test_durations_have_units(text, seconds):
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "1.5h", "7w", "99999999d", "²s", "٣d"])
def test_durations_without_sense_are_refused(text):
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


def test_items_are_letters_or_all():
    assert Items().convert("a, b,f", None, None) == {Item.A, Item.B, Item.F}
    assert Items().convert("all", None, None) == ALL_ITEMS


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Items(), "k"),
        (Items(), ""),
        (Items(), "ab"),
        (QueryId(), "xyz"),
        (QueryId(), "00" * 15),
        (Recipient(), "QN"),
        (Sentence(), "\udcff"),
    ],
)
def test_what_means_nothing_is_refused(kind, text):
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)


def test_what_came_from_elsewhere_cannot_move_the_cursor():
    assert (
        printable("a\x1b[2Jb\u202ec\x07") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}"
    )


def test_columns_line_up_and_the_last_runs_free():
    assert columns([("a", "bb", "c"), ("aaa", "b", "a long cell")]) == ["a    bb  c", "aaa  b   a long cell"]
    assert columns([]) == []
