"""The files that come with the program: example settings, published patterns, the demonstration. Read through here alone."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def config_folder() -> Path:
    """The folder `config/`: beside the packages in a checkout, inside the package in a wheel."""
    packaged = Path(str(resources.files("node"))) / "config_data"
    return packaged if packaged.is_dir() else Path(str(resources.files("node"))).parent / "config"


def patterns_folder() -> Path:
    """Published and invented pattern sets, one file each."""
    return config_folder() / "patterns"
