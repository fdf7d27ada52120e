"""The first officer's profile, in the folder of the node that made the officer."""

from __future__ import annotations

import shutil
from pathlib import Path

from federation.errors import Conflict
from node.cli.profile import write_profile
from node.joining import Joined


def write_first_profile(home: Path, joined: Joined) -> Path:
    """Write the profile, whole or not at all.

    Raises:
        Conflict: there is one, or another officer's.
    """
    folder, draft = home / "officers", home / "officers.draft"
    if folder.exists():
        raise Conflict(f"{home} has an officer already", hint="this Party has joined: run it with `gsp party run`")
    shutil.rmtree(draft, ignore_errors=True)  # of a try that was interrupted: nobody has used it
    write_profile(
        draft / joined.officer.officer_id,
        officer=joined.officer,
        desk=joined.desk,
        node=joined.node,
        certificate=joined.officer_certificate,
        party_cas=(joined.party_ca,),
        seed=joined.officer_seed,
    )
    draft.rename(folder)
    return folder / joined.officer.officer_id
