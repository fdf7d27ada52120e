"""The group of all verbs: loads a verb when it is used, and ends every command in one way.

A verb is a click command whose function returns an exit code or raises one of our errors. Here, and nowhere else, an error becomes
two lines and a number; so no verb prints an error itself, and `--json` holds for errors as well.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import click

from federation.errors import FederationError, InvalidInput, Misuse
from node.cli.exit_codes import ExitCode, exit_code
from node.cli.output import show_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Where a verb is, and what it does in one line, so that the list needs none of their modules.

    Attributes:
        module: with a command of the verb's own name in it.
    """

    module: str
    summary: str


class Verbs(click.Group):
    """A group of verbs that are imported by need."""

    def __init__(self, *args: Any, verbs: Mapping[str, Verb], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        del ctx
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb."""
        del ctx
        if cmd_name not in self._verbs:
            return None
        command = getattr(importlib.import_module(self._verbs[cmd_name].module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, without importing a verb."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in self._verbs.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and end the process with its exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        run = partial(super().main, arguments, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        _survive_narrow_encodings()
        as_json = "--json" in arguments
        try:
            code: object = run()
        except FederationError as error:
            _end(error, as_json=as_json)
        except click.UsageError as error:
            _end(_usage(error), as_json=as_json)
        except click.ClickException as error:
            _end(InvalidInput(error.format_message()), as_json=as_json)
        except click.Abort:
            sys.exit(ExitCode.INTERRUPTED)
        except Exception as error:  # noqa: BLE001  # the last line of defence: whatever it is, the user gets words and a number
            traceback.print_exc()
            _end(Misuse(f"this program failed: {type(error).__name__}"), as_json=as_json)
        sys.exit(code if isinstance(code, int) else ExitCode.FINE)


def _usage(error: click.UsageError) -> InvalidInput:
    command = error.ctx.command_path if error.ctx is not None else "gsp"
    return InvalidInput(error.format_message(), hint=f"see `{command} --help`")


def _end(error: FederationError, *, as_json: bool) -> NoReturn:
    show_error(error, as_json=as_json)
    sys.exit(exit_code(error))


def _survive_narrow_encodings() -> None:
    """A terminal that cannot show a letter gets an escape for it, and the command goes on."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
