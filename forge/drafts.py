"""Files that are still being written, named for the process that writes them."""

from pathlib import Path
from uuid import uuid4

from forge.processes import is_dead, process_label


def draft_in(folder: Path, prefix: str) -> Path:
    """A path for a file that gets its name when it is whole."""
    # No colons: readers take what is before one for the scheme of an address.
    return folder / f"{prefix}{process_label().replace(':', '~')}~{uuid4().hex}"


def clear_drafts(folder: Path, prefix: str) -> None:
    """Remove what dead processes left half-written; a living one's stays."""
    for path in folder.glob(f"{prefix}*"):
        label = path.name.removeprefix(prefix).rpartition("~")[0].replace("~", ":")
        if is_dead(label):
            path.unlink(missing_ok=True)
