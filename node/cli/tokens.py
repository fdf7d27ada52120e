"""A hardware module on the command line: which one, and the PIN of its token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.errors import InvalidInput
from node.config import NodeToken
from node.keystore import read_passphrase

CommandType = TypeVar("CommandType", bound=Callable[..., Any])


def token_options(command: CommandType) -> CommandType:
    """Where keys are made that never leave a hardware module."""
    module = click.option(
        "--pkcs11-module",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The library of a hardware module: keys are made in it.",
    )
    token = click.option("--pkcs11-token", metavar="LABEL", help="The label of the token in it.")
    return module(token(pin_option(command)))


def pin_option(command: CommandType) -> CommandType:
    """Where the token's PIN comes from."""
    option = click.option(
        "--pkcs11-pin-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the token's PIN. Without it the PIN is asked for. It is kept in the keystore.",
    )
    return option(command)


def named_token(module: Path | None, label: str | None) -> NodeToken | None:
    """What the options name, as the settings keep it.

    Raises:
        InvalidInput: one without the other.
    """
    if module is None and label is None:
        return None
    if module is None or label is None:
        raise InvalidInput("a token is named by --pkcs11-module and --pkcs11-token together")
    return NodeToken(module=str(module.absolute()), token=label)


def token_pin(file: Path | None) -> bytes:
    """Read the PIN, or ask for it."""
    if file is not None:
        return read_passphrase(file)
    asked: str = click.prompt("PIN of the token", hide_input=True, err=True)
    return asked.encode()
