"""Build hook: protobuf code is generated for wheels and for editable installs, and never committed (docs/adr/0002).

`-I protos` with `protos/federation/v1/x.proto` yields `from federation.v1 import x_pb2`, so nothing is rewritten.
"""

from __future__ import annotations

import importlib.resources
import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("federation/v1", "node/v1")


def plugin_arguments() -> list[str]:
    """Name the stub generators by path: the build environment's scripts are not always on PATH."""
    scripts = Path(sys.executable).parent
    found = {
        name: shutil.which(name, path=str(scripts)) or shutil.which(name) for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    }
    return [f"--plugin={name}={path}" for name, path in found.items() if path]


def generate(root: Path) -> None:
    """Compile every file under `protos/` into the two packages; a failing compiler ends the build."""
    from grpc_tools import protoc  # noqa: PLC0415  # present in the build environment only

    protos = root / "protos"
    files = sorted(str(path) for path in protos.rglob("*.proto"))
    for package in PACKAGES:
        target = root / package
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (target / "__init__.py").write_text('"""Generated from protos/ by hatch_build.py; never edited, never committed."""\n')
    includes = importlib.resources.files("grpc_tools") / "_proto"
    code = protoc.main(
        [
            "protoc",
            *plugin_arguments(),
            f"-I{protos}",
            f"-I{includes}",
            f"--python_out={root}",
            f"--grpc_python_out={root}",
            f"--mypy_out=quiet:{root}",
            f"--mypy_grpc_out=quiet:{root}",
            *files,
        ]
    )
    if code != 0:
        raise SystemExit(f"protoc ended with {code}; see its messages above")


class ProtobufHook(BuildHookInterface):  # type: ignore[type-arg]  # generic for type checkers only
    """Called by hatchling before it collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate, and put the settings and patterns into a wheel.

        An editable install must not have them: a folder `node/` among the installed packages would hide the checkout's.
        """
        root = Path(self.root)
        generate(root)
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"][str(root / "config")] = "node/config_data"


if __name__ == "__main__":
    generate(Path(__file__).parent)
