"""`gsp officers enrol` and `renew`: an officer's own machine, own key, and a certificate for it.

While enrolling, the key lies in `DIR.enrolling`, durable before it is told to anybody; so the same command goes on after any
interruption, with the same key. The profile appears whole or not at all.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path

import click

from federation.errors import Conflict, FederationError, InvalidConfiguration
from federation.identity import OfficerName
from federation.ports import Clock
from federation.trust.certificate import to_pem
from federation.trust.chain import load_certificate, window_of
from federation.trust.desk_code import DeskCode, decode_desk_code
from federation.trust.keys import SEED_BYTES, SoftwareSigner
from node.cli.exit_codes import ExitCode
from node.cli.options import desk_options, json_option
from node.cli.output import Document, clock, rfc3339, show
from node.cli.profile import Profile, read_profile, read_seed, write_profile
from node.cli.serving import private_file
from node.cli.session import Surroundings, administering, named_profile, pass_surroundings
from node.keystore import replace_file
from node.rpc.officer_enrolment import check_enrolled, greeting


@click.command("enrol")
@click.argument("code")
@click.option(
    "--to",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the profile to be; it must not exist.",
)
@json_option
@pass_surroundings
def enrol_command(surroundings: Surroundings, *, code: str, folder: Path, as_json: bool) -> int:
    """Enrol with the code from your administrator: makes your key here, and your profile. Repeat it after an interruption."""
    read = decode_desk_code(code)
    profile = asyncio.run(enrol(read, folder, clock=surroundings.clock, seed=secrets.token_bytes(SEED_BYTES)))
    lines = [
        f"You are officer {profile.officer.officer_id}. Your certificate is valid until {clock(profile.window.not_after)}.",
        f"Your profile is {folder}: keep it to yourself, and name it once:",
        f"  export GSP_OFFICER={folder.absolute()}",
    ]
    show(_document(profile, folder), lines, as_json=as_json)
    return ExitCode.FINE


async def enrol(code: DeskCode, folder: Path, *, clock: Clock, seed: bytes) -> Profile:
    """Get a certificate for a key that is made here, and write the profile.

    Args:
        code: from the administrator.
        folder: of the profile to be.
        clock: of this machine.
        seed: of the key, when none lies there from an interrupted try.

    Raises:
        Conflict: there is another profile already.
        Unauthentic: the node is not the one of the code.
    """
    workshop = folder.with_name(f"{folder.name}.enrolling")
    if folder.exists():
        return _finished(folder, workshop)
    signer = SoftwareSigner(own_seed := _seed(workshop, seed))
    async with greeting(code, clock=clock) as node:
        enrolled = await node.enrol(signer)
        draft = workshop / "profile"
        shutil.rmtree(draft, ignore_errors=True)
        write_profile(
            draft,
            officer=OfficerName(party=code.party, officer_id=enrolled.officer_id, domain=node.name.domain),
            desk=code.address,
            node=node.name,
            certificate=enrolled.certificate,
            party_cas=node.party_cas,
            seed=own_seed,
        )
    draft.rename(folder)
    return _finished(folder, workshop)


def _seed(workshop: Path, fresh: bytes) -> bytes:
    """The key of an earlier try, or the fresh one, durable now."""
    path = workshop / "key"
    try:
        workshop.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            try:
                return read_seed(path)
            except InvalidConfiguration:  # cut off while it was written: nobody has heard of it
                path.unlink()
        private_file(path, f"{fresh.hex()}\n")
    except OSError as error:
        raise InvalidConfiguration(
            f"{workshop} cannot be written: {error.strerror}", hint="name a folder beside which you can write"
        ) from error
    return fresh


def _finished(folder: Path, workshop: Path) -> Profile:
    """The profile that is there, when this enrolment made it."""
    try:
        profile = read_profile(folder)
        if workshop.exists() and SoftwareSigner(read_seed(workshop / "key")).public_key == profile.signer.public_key:
            shutil.rmtree(workshop)
            return profile
    except FederationError:
        pass
    raise Conflict(f"{folder} exists already", hint="name a folder that does not exist yet")


@click.command("renew")
@desk_options
@pass_surroundings
def renew_command(surroundings: Surroundings, *, profile_folder: Path | None, as_json: bool) -> int:
    """Get the next certificate for your key, before the present one ends. Repeat it after an interruption."""
    before = named_profile(profile_folder)
    assert profile_folder is not None  # it was read
    asyncio.run(_renew(surroundings, profile_folder))
    profile = read_profile(profile_folder)
    words = (
        f"Your certificate was valid until {clock(before.window.not_after)}, and is now until {clock(profile.window.not_after)}."
    )
    show(_document(profile, profile_folder), [words], as_json=as_json)
    return ExitCode.FINE


async def _renew(surroundings: Surroundings, folder: Path) -> None:
    async with administering(surroundings, folder) as (profile, administration):
        enrolled = await administration.renew()
        cas = administration.authorities or profile.party_cas
    check_enrolled(
        enrolled,
        public_key=profile.signer.public_key,
        node=profile.node,
        party_cas=cas,
        now=surroundings.clock.now(),
    )
    if window_of(load_certificate(enrolled.certificate)).not_after > profile.window.not_after:
        replace_file(folder / "certificate.pem", to_pem(enrolled.certificate))


def _document(profile: Profile, folder: Path) -> Document:
    return {
        "officer_id": profile.officer.officer_id,
        "party": str(profile.officer.party),
        "desk": profile.desk,
        "profile": str(folder),
        "not_after": rfc3339(profile.window.not_after),
    }
