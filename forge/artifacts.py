"""Files named by the sha256 of their content."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from forge.drafts import clear_drafts, draft_in

EMPTY = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Artifacts:
    """A folder of artifacts; several roots may share it."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where an artifact lies, whether it is there or not."""
        return self.folder / name[:2] / name

    def holds(self, name: str) -> bool:
        """Whether an artifact is there, and not emptied by a disk that was full."""
        try:
            return self.path(name).stat().st_size > 0 or name == EMPTY
        except FileNotFoundError:
            return False

    def put(self, content: bytes) -> str:
        """Keep the content, and return its name."""
        draft = self.draft()
        draft.write_bytes(content)
        return self.keep(draft)

    def draft(self) -> Path:
        """A path for a file that is still being written; hand it to `keep` when it is whole."""
        self._drafts.mkdir(parents=True, exist_ok=True)
        return draft_in(self._drafts, "")

    def clear_drafts(self) -> None:
        """Remove what dead processes left half-written."""
        clear_drafts(self._drafts, "")

    def keep(self, draft: Path) -> str:
        """Move a whole draft to its name, durably, and return that name."""
        with draft.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path = self.path(name)
        path.parent.mkdir(exist_ok=True)
        draft.replace(path)
        return name

    @property
    def _drafts(self) -> Path:
        return self.folder / ".drafts"
