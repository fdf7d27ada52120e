"""The invented world of the demonstration, read from `config/demo/trace.toml`."""

from __future__ import annotations

import msgspec

from federation.errors import InvalidConfiguration
from node.use_cases.demo_plan import DemoPlan


def read_demo_plan(text: str) -> DemoPlan:
    """Read the text of the file.

    Raises:
        InvalidConfiguration: no TOML, or a field that is missing or cannot be; the message names it.
    """
    try:
        return msgspec.toml.decode(text, type=DemoPlan)
    except msgspec.MsgspecError as error:
        raise InvalidConfiguration(f"the plan of the demonstration cannot be read: {error}") from error
