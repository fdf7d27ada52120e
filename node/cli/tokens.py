"""A hardware module on the command line: which one, and the PIN of its token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.errors import InvalidInput
from node.config import NodeToken
from node.keystore import read_passphrase

CommandType = TypeVar("CommandType", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenToken:
    """What the options name: how the settings keep it, and the PIN."""

    settings: NodeToken
    pin: bytes = field(repr=False)


def token_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where keys are made that never leave a hardware module; the command gets a `token`, or None."""

    @wraps(command)
    def with_token(
        *, pkcs11_module: Path | None, pkcs11_token: str | None, pkcs11_pin_file: Path | None, **others: object
    ) -> Any:
        settings = _named(pkcs11_module, pkcs11_token)
        chosen = ChosenToken(settings=settings, pin=token_pin(pkcs11_pin_file)) if settings is not None else None
        return command(token=chosen, **others)

    module = click.option(
        "--pkcs11-module",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A hardware module's library: keys are made in it.",
    )
    token = click.option("--pkcs11-token", metavar="LABEL", help="The label of the token in it.")
    return module(token(pin_option(with_token)))


def pin_option(command: CommandType) -> CommandType:
    """Where the token's PIN comes from."""
    option = click.option(
        "--pkcs11-pin-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the token's PIN. Without it the PIN is asked for. It is kept in the keystore.",
    )
    return option(command)


def _named(module: Path | None, label: str | None) -> NodeToken | None:
    """The token, as the settings keep it.

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
