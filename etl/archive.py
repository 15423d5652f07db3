"""The archive: original files byte for byte, and a note beside each of how it was loaded."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.copying import copy_file, sync_file

KEPT = "kept"
"""In the scratch folder of a load: the files that it was the first to put into the archive."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The folder of the archive; only whoever holds the lock for writers writes to it."""

    path: Path

    def keep(self, path: Path, sha256: str, name: str, scratch: Path) -> Path:
        """Keep a file byte for byte in the archive; returns where, relative to the archive.

        What is kept for the first time is noted in the scratch folder, so that it goes with a load that comes to nothing.
        """
        relative = Path(sha256[:2]) / sha256 / name
        target = self.path / relative
        if not target.exists():
            with (scratch / KEPT).open("a", encoding="utf-8") as kept:
                kept.write(f"{json.dumps(str(relative))}\n")
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.parent / ".part"
            if copy_file(path, part) != sha256:
                part.unlink()
                raise ValueError(f"{path} changed while it was read; nothing was published. Load it again.")
            sync_file(part)
            part.rename(target)
        return relative

    def forget_kept(self, scratch: Path) -> None:
        """Remove from the archive what a load put there that ended before it noted it."""
        with contextlib.suppress(FileNotFoundError):
            for line in (scratch / KEPT).read_text("utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    target = self.path / json.loads(line)
                    for part in (".part", ".load.part"):
                        (target.parent / part).unlink(missing_ok=True)
                    if not list(target.parent.glob("*.load.json")):
                        target.unlink(missing_ok=True)
                        for folder in (target.parent, target.parent.parent):
                            with contextlib.suppress(OSError):
                                folder.rmdir()

    def note(self, relative: Path, facts: dict[str, Any]) -> None:
        """Write how an archived file was loaded beside it, so that a rebuild needs nothing but the archive."""
        target = self.path / relative
        part = target.with_name(".load.part")
        try:
            part.write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
            part.replace(self.name_note(relative, facts))
        finally:
            part.unlink(missing_ok=True)

    def name_note(self, relative: Path, facts: dict[str, Any]) -> Path:
        """Where the note of a load is."""
        # The same file may be loaded twice, known at different moments.
        return self.path / relative.with_name(f"{relative.name}.{facts['load_no']}.load.json")

    def notes(self) -> list[dict[str, Any]]:
        """Every note of the archive, in the order of loading."""
        found = [json.loads(path.read_text("utf-8")) for path in self.path.glob("*/*/*.load.json")]
        # Earlier releases named the note of a file that is loaded again otherwise.
        once = {(one["sha256"], one["name"], one["loaded_at"]): one for one in found}
        return sorted(once.values(), key=lambda facts: (facts["load_no"], facts["loaded_at"]))

    def has_notes(self) -> bool:
        """Whether any load was noted."""
        return any(self.path.glob("*/*/*.load.json"))
