"""Answers of GitHub's REST that are held, so that it need only say whether they still stand."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from forge.drafts import clear_drafts, draft_in

ETAG = re.compile(r'(W/)?"[!#-~]{1,200}"')
DRAFT = "draft-"
"""What `forge clean` takes for half-written, as in every folder of the memo."""
MOST_BYTES = 4 * 2**20


class Known(msgspec.Struct, frozen=True):
    """An answer as it came: its tag, its body, and the address of the page after it."""

    etag: str
    body: bytes
    next: str | None = None

    @property
    def content(self) -> Any:
        """What its JSON says."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True)
class Conditional:
    """A folder with a file per question; it may be removed at any time."""

    folder: Path

    def recall(self, question: str) -> Known | None:
        """The answer that is held to a question; none where its file is absent or broken."""
        try:
            known = msgspec.msgpack.decode(self._path(question).read_bytes(), type=Known)
            return known if ETAG.fullmatch(known.etag) and known.content is not None else None
        except (OSError, ValueError):
            return None

    def keep(self, question: str, known: Known) -> None:
        """Hold an answer from now on, if it has a tag to ask by."""
        if ETAG.fullmatch(known.etag) and len(known.body) <= MOST_BYTES:
            path = self._path(question)
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = draft_in(path.parent, DRAFT)
            draft.write_bytes(msgspec.msgpack.encode(known))
            draft.replace(path)

    def clear_drafts(self) -> None:
        """Remove what dead processes left half-written."""
        clear_drafts(self.folder, DRAFT)

    def _path(self, question: str) -> Path:
        return self.folder / hashlib.sha256(question.encode()).hexdigest()
