"""How rights are typed: `--right ask --purpose detection --authority customs:Customs`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click

from federation import limits
from federation.errors import FederationError, InvalidInput
from federation.query.codes import Purpose
from federation.trust.entries import Authority, AuthorityKind
from node.cli.options import Word
from node.use_cases.rights import PURPOSEFUL, Grant, Right, check_authority

CommandType = TypeVar("CommandType", bound=Callable[..., Any])

ALL: Final = "all"
DAYS: Final = click.IntRange(limits.OFFICER_CERTIFICATE_LIFE_S_MIN // 86_400, limits.OFFICER_CERTIFICATE_LIFE_S // 86_400)


class AuthorityParameter(click.ParamType[Authority]):
    """A kind of competent authority of Article 8.8, and its name."""

    name = "kind:name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Authority:
        if isinstance(value, Authority):
            return value
        kind, _, name = value.partition(":")
        try:
            authority = Authority(kind=AuthorityKind(kind), name=name.strip())
            check_authority(authority)
        except (ValueError, FederationError):
            kinds = ", ".join(AuthorityKind)
            self.fail(f"{value!r} is no competent authority; write a kind ({kinds}) and a name, as customs:Customs", param, ctx)
        return authority


class RightParameter(click.Choice[str]):
    """One right, or all of them."""

    def __init__(self) -> None:
        super().__init__([*(str(right) for right in Right), ALL])


def grant_options(command: CommandType) -> CommandType:
    """Which rights, for which purposes."""
    right = click.option("--right", "rights", multiple=True, type=RightParameter(), help="A right; once for each, or all.")
    purpose = click.option(
        "--purpose",
        "purposes",
        multiple=True,
        type=Word(Purpose),
        help="For ask and answer: for this purpose only; once for each. Without it for all.",
    )
    return right(purpose(command))


def typed_grants(rights: Iterable[str], purposes: Iterable[Purpose], authority: Authority) -> tuple[Grant, ...]:
    """What was typed, as grants.

    Raises:
        InvalidInput: no right was named.
    """
    named = set(Right) if ALL in (given := set(rights)) else {Right(one) for one in given}
    if not named:
        raise InvalidInput("no right is named", hint=f"give --right with one of: {', '.join([*Right, ALL])}")
    wanted = frozenset(purposes) or frozenset(Purpose)
    return tuple(
        Grant(right=right, authority=authority, purposes=wanted if right in PURPOSEFUL else frozenset())
        for right in sorted(named)
    )
