"""The Secretariat's node, destroyed and put back from a copy that lacks what it logged since. Real processes."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.programs import PATIENCE_S, Program, Town, town


async def doctor(made: Town, party: str) -> dict[str, Any]:
    return await made.run(party, "doctor", "--officer", made.officers[party], codes=(0, 1, 2))


async def test_it_takes_the_rest_of_its_log_from_the_parties_and_goes_on_without_a_fork(tmp_path: Path) -> None:
    async with town(tmp_path, secretariat=Program(), qm=Program(), qn=Program(), qo=Program()) as made:
        await made.join("qm")
        await made.start("qm")
        copy = made.folder / "secretariat.backup"
        await made.run("secretariat", "backup", *made.keys("secretariat"), "-o", copy, "--cost", "minimal")
        checked = await made.run("secretariat", "backup", "verify", copy, "--passphrase-file", made.folder / "passphrase")
        assert checked["kind"] == "secretariat"
        await made.join("qn")
        await made.start("qn")
        async with asyncio.timeout(PATIENCE_S):
            while (await doctor(made, "qm"))["figures"]["directory_size"] != 7:
                await asyncio.sleep(0.2)

        await made.kill("secretariat")
        take_away = shutil.copytree(made.home("secretariat") / "take-away", made.folder / "take-away")
        shutil.rmtree(made.home("secretariat"))
        await made.run("secretariat", "restore", copy, *made.keys("secretariat"))
        shutil.copytree(take_away, made.home("secretariat") / "take-away")  # the founders bring their keys
        await made.start("secretariat")
        async with asyncio.timeout(PATIENCE_S):
            while json.loads((made.home("secretariat") / "restored.json").read_text())["agreed"] is None:
                await asyncio.sleep(0.2)
        await made.join("qo")

        async with asyncio.timeout(PATIENCE_S):
            while {(await doctor(made, party))["figures"]["directory_size"] for party in ("qm", "qn")} != {10}:
                await asyncio.sleep(0.2)
        for party in ("qm", "qn"):
            checks = {one["name"]: one["health"] for one in (await doctor(made, party))["checks"]}
            assert checks["directory view"] == checks["directory rules"] == checks["own entry"] == "good"
