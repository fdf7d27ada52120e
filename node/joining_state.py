"""How far a Party's joining has come, as a file without any secret: `joining.json`.

It is what an interrupted `gsp party join` goes on from, and what `gsp party status` tells while the Secretariat is down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from federation.errors import InvalidConfiguration
from federation.trust.enrolment import Step
from node.keystore import replace_file
from node.use_cases.registry_values import EnrolmentState

STATE_FILE: Final = "joining.json"


class JoiningState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`joining.json`.

    Attributes:
        admit_body, genesis_leaf: in hexadecimal; empty before the Secretariat has issued the CA.
        secretariat_ca, secretariat_issuer: likewise; empty while the Secretariat has the CA of the genesis entry.
        step, founders_signed, founders_needed: what the Secretariat said last.
        since: Unix seconds at which that step was first heard of.
    """

    party: str
    next_key_hash: str
    admit_body: str = ""
    directory_endpoint: str = ""
    genesis_leaf: str = ""
    secretariat_ca: str = ""
    secretariat_issuer: str = ""
    step: Step = Step.INVITED
    founders_signed: int = 0
    founders_needed: int = 0
    since: int = 0


def read_state(home: Path) -> JoiningState:
    """What stands in the folder.

    Raises:
        InvalidConfiguration: the file is damaged.
    """
    path = home / STATE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=JoiningState)
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidConfiguration(f"{path} cannot be read: {error}", hint="join again in an empty folder") from error


def write_state(home: Path, state: JoiningState) -> None:
    """Durable on return: the Secretariat is committed to these keys, and takes no others."""
    replace_file(home / STATE_FILE, msgspec.json.encode(state))


def heard(home: Path, state: JoiningState, progress: EnrolmentState | None, *, now: int) -> None:
    """Write down how far it is, when that is news.

    Args:
        home: the Party's folder.
        state: what was known; it is brought up to date.
        progress: what the Secretariat said; None after it issued the CA.
        now: Unix seconds.
    """
    before = (state.step, state.founders_signed, state.founders_needed)
    if progress is not None:
        state.step, state.founders_signed, state.founders_needed = (
            progress.step,
            progress.founders_signed,
            progress.founders_needed,
        )
    if before[0] is not state.step or not state.since or progress is None:
        state.since = now
    if progress is None or before != (state.step, state.founders_signed, state.founders_needed):
        write_state(home, state)
