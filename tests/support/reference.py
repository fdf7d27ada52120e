"""Finds the published test data that is not part of this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "reference"


def reference(relative: str) -> Path:
    """The path of one file or folder of the reference data. Without it the calling test or module is skipped, and fails with CI=true."""
    folder = Path(os.environ.get("GSP_REFERENCE", _BESIDE_CHECKOUT))
    path = folder / relative
    if not path.exists():
        reason = (
            f"published test data `{relative}` is not here: put it into ../shared/reference or name its folder in GSP_REFERENCE "
            "(Wycheproof, CCTV, transparency-dev/merkle, C2SP and the X-Wing and HPKE-PQ drafts publish it)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)
    return path


def reference_json(relative: str) -> Any:
    return json.loads(reference(relative).read_text(encoding="utf-8"))
