"""Environments of their own for what is only compared with: made when first asked for, versions pinned."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(sys.prefix) / "bench"
UV: Final = Path(sys.prefix) / "bin" / "uv"
VOICERAG: Final = ("aiohttp==3.14.5",)
PIPECAT: Final = ("pipecat-ai[websocket]==1.14.0", "uvicorn[standard]==0.54.0", "websockets==17.4")
"""0.4 GB on disk."""
SECONDS: Final = 600.0
"""Downloads may take."""


def python_with(packages: tuple[str, ...]) -> str:
    """A Python that has these packages. Raises RuntimeError when they cannot be had."""
    folder = ROOT / hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12]
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Installing {', '.join(packages)} into {folder} (once).", file=sys.stderr)
        try:
            _run("venv", "--quiet", "--python", sys.executable, str(folder))
            _run("pip", "install", "--quiet", "--python", str(python), *packages)
            ready.touch()
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise RuntimeError(f"{packages[0]} cannot be had to compare with: {error}") from error
    return str(python)


def _run(*arguments: str) -> None:
    subprocess.run([str(UV), *arguments], check=True, timeout=SECONDS, stdout=sys.stderr)
