"""Finds the published test data that is not part of this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "reference"


def reference(relative: str) -> Path:
    """The path of one file or folder of the reference data; skips the calling test or module when the data is not here."""
    folder = Path(os.environ.get("GSP_REFERENCE", _BESIDE_CHECKOUT))
    path = folder / relative
    if not path.exists():
        pytest.skip(
            f"published test data `{relative}` is not here: put it into ../shared/reference or name its folder in GSP_REFERENCE "
            "(Wycheproof, CCTV, transparency-dev/merkle, C2SP and the X-Wing and HPKE-PQ drafts publish it)",
            allow_module_level=True,
        )
    return path


def reference_json(relative: str) -> Any:
    return json.loads(reference(relative).read_text(encoding="utf-8"))
