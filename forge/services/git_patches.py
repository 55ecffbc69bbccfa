"""The change of a merge, cut into gold patch and test patch, and proved by git itself.

Diffs are made without renames: a file that moves between code and tests is a deletion in one patch
and a creation in the other, so that both stand alone and together give the merge's tree. No
attributes are read, so nothing converts line ends. Sections that are no text in UTF-8 become binary
ones, names are quoted by git: a patch is always text.
"""

import base64
import gzip
import io
import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from forge.diffs import Section, joined, sections
from forge.effect import Failure
from forge.services.git_command import BROKEN, Call, Failed, GitError, TooLargeError, git
from forge.services.git_mirrors import Mirror
from forge.services.git_trees import LINK, Entry, contents, missing_files

PATCH_BYTES = 20_000_000
ARCHIVE_BYTES = 20_000_000
FILES = 5_000
DIFF = (
    *("diff", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv"),
    *("--no-color", "--unified=3", "--diff-algorithm=myers", "--indent-heuristic"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", "--ignore-submodules=none"),
)
APPLY = ("apply", "--cached", "--whitespace=nowarn", "-")
ABSENT = "000000"


class Patches(NamedTuple):
    """Both halves of a change, the files of the test half, and what the base lacks."""

    gold_patch: str
    test_patch: str
    patch_id: str | None
    test_paths: list[str]
    removed_test_paths: list[str]
    test_archive: str
    missing_files: list[str]


class Change(NamedTuple):
    """One changed path, with its mode and content in the merge, and its mode before."""

    path: bytes
    old_mode: str
    mode: str
    sha: str

    @property
    def is_removed(self) -> bool:
        """Whether a file lay there, or a submodule's folder, and the merge has none."""
        return self.mode == ABSENT or (self.mode == LINK != self.old_mode != ABSENT)


class Pair(NamedTuple):
    """The two commits between which the change lies; the later may be a tree made from a row."""

    base: str
    merge: str


async def cut(mirror: Mirror, pair: Pair, tests: str, runner: str | None = None) -> Patches:
    """The patches between base and merge; raises `Failed` where they cannot be had exactly.

    The test archive also holds the gold patch's files of the test runner, which `runner` finds.
    """
    await mirror.hold_commits(pair)
    changes = await _changes(mirror, pair)
    is_test = re.compile(tests).search
    with unread():
        parts = await _sections(mirror, pair)
    gold = joined(part for part in parts if not is_test(part.path))
    test = joined(part for part in parts if is_test(part.path))
    await _prove(mirror, pair, gold, test)
    touched = [change for change in changes if is_test(_shown(change.path))]
    is_runner = re.compile(runner or tests).search
    also = [c for c in changes if c not in touched and is_runner(_shown(c.path))]
    kept = await _kept(mirror, touched, also)
    missing = await missing_files(mirror, pair.base)
    return Patches(gold, test, await _patch_id(mirror, parts), *kept, missing)


async def _changes(mirror: Mirror, pair: Pair) -> list[Change]:
    raw = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", *pair)
    words = (await mirror.read_objects(*raw)).split(b"\0")
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(pairs) > FILES:
        raise Failed(Failure("policy", "too_many_files", f"{len(pairs)} files changed"))
    return [_change(about.decode(), path) for about, path in pairs]


def _change(about: str, path: bytes) -> Change:
    old_mode, mode, _, sha, _ = about.removeprefix(":").split(" ")
    return Change(path, old_mode, mode, sha)


async def _sections(mirror: Mirror, pair: Pair) -> list[Section]:
    """The diff's sections, each of them text."""
    diff = (await _diff(mirror, pair)).decode(errors="surrogateescape")
    parts = sections(diff)
    odd = [part.path for part in parts if not _is_text(part.text)]
    if odd:
        binary = (await _diff(mirror, pair, as_binary=odd)).decode(errors="surrogateescape")
        replaced = {_head(part.text): part for part in sections(binary)}
        parts = [p if _is_text(p.text) else replaced[_head(p.text)] for p in parts]
    for part in parts:
        if not _is_text(part.text):  # git writes links as text, whatever is asked
            raise Failed(Failure("data", "link_not_utf8", ascii(part.path)))
    return parts


def _head(text: str) -> str:
    return text[: text.index("\nindex ")]


def _is_text(words: str) -> bool:
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in words


async def _diff(mirror: Mirror, pair: Pair, as_binary: Sequence[str] = ()) -> bytes:
    with tempfile.NamedTemporaryFile("w", suffix=".attributes") as attributes:
        attributes.write("* -diff\n" if as_binary else "")
        attributes.flush()
        config = {"core.attributesFile": attributes.name}
        paths = [path.encode(errors="surrogateescape") for path in as_binary]
        words = [*DIFF, "--end-of-options", *pair, "--", *map(_word, paths)]
        try:
            return await git(Call(mirror.objects, words, config=config, bytes=PATCH_BYTES))
        except TooLargeError as error:
            raise Failed(Failure("policy", "patch_too_large", str(error))) from None


def _word(path: bytes) -> str:
    return path.decode(errors="surrogateescape")


async def _prove(mirror: Mirror, pair: Pair, gold: str, test: str) -> None:
    """Base + gold + test is the merge's tree, and each half applies to the base alone."""
    await _apply(mirror, pair.base, {"gold_patch_does_not_apply": gold})
    await _apply(mirror, pair.base, {"test_patch_does_not_apply": test})
    both = {"gold_patch_does_not_apply": gold, "test_patch_does_not_apply_to_gold": test}
    tree = await _apply(mirror, pair.base, both)
    expected = (await mirror.read_objects("rev-parse", f"{pair.merge}^{{tree}}")).decode().strip()
    if tree != expected:
        raise Failed(Failure("data", "patches_miss_the_merge", f"tree {tree}, not {expected}"))


async def _apply(mirror: Mirror, base: str, patches: dict[str, str]) -> str:
    """The tree of the base with the patches, made in a scratch index beside scratch objects."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(mirror.objects.resolve() / "objects"),
        }
        with _refused():
            await mirror.read_objects("read-tree", base, environment=environment)
        for reason, patch in patches.items():
            with _refused(reason):
                if patch:
                    stdin = patch.encode()
                    await mirror.read_objects(*APPLY, stdin=stdin, environment=environment)
        written = await mirror.read_objects("write-tree", "--missing-ok", environment=environment)
        return written.decode().strip()


@contextmanager
def _refused(reason: str = "") -> Iterator[None]:
    """What git will not do, as a failure: it knows best which paths are unsafe."""
    try:
        yield
    except GitError as error:
        if "error: invalid path '" in str(error):
            raise Failed(Failure("policy", "path_unsafe", str(error))) from None
        if not reason:
            raise
        raise Failed(Failure("data", reason, str(error))) from None


@contextmanager
def unread() -> Iterator[None]:
    """Files that the server has not got, as a failure."""
    try:
        yield
    except GitError as error:
        if not BROKEN.search(str(error)):
            raise
        raise Failed(Failure("data", "objects_missing", str(error))) from None


def _quoted(folder: Path) -> str:
    # A colon parts the folders of this variable, but not within quotes.
    return '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _patch_id(mirror: Mirror, parts: Sequence[Section]) -> str | None:
    printed = await mirror.read_objects("patch-id", "--stable", stdin=joined(parts).encode())
    return printed.decode().partition(" ")[0] or None


async def _kept(
    mirror: Mirror, touched: Sequence[Change], also: Sequence[Change]
) -> tuple[list[str], list[str], str]:
    """Test paths that the merge has, paths that it has no more, and the archive of all it has."""
    for change in [*touched, *also]:
        if not _is_text(_shown(change.path)):
            raise Failed(Failure("data", "path_not_utf8", repr(change.path)[1:]))
    removed = [_shown(change.path) for change in [*touched, *also] if change.is_removed]
    files = [c for c in [*touched, *also] if c.mode not in {ABSENT, LINK}]
    archive = await _archive(mirror, await _sized(mirror, files))
    return [_shown(c.path) for c in files if c not in also], removed, archive


async def _sized(mirror: Mirror, files: Sequence[Change]) -> list[Entry]:
    names = "".join(f"{change.sha}\n" for change in files).encode()
    check = ("cat-file", "--batch-check=%(objectsize)")
    sizes = (await mirror.read_objects(*check, stdin=names)).split()
    return [
        Entry(_shown(change.path), change.mode, change.sha, int(size))
        for change, size in zip(files, sizes, strict=True)
    ]


async def _archive(mirror: Mirror, files: Sequence[Entry]) -> str:
    """Base64 of a tar.gz that is equal for equal files."""
    if (size := sum(entry.bytes for entry in files)) > ARCHIVE_BYTES:
        raise Failed(Failure("policy", "tests_too_large", f"{size:,} bytes of test files"))
    found = await contents(mirror, files)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in files:
            content = found[entry.path]
            is_link = entry.mode == "120000"
            archive.addfile(_member(entry, content), None if is_link else io.BytesIO(content))
    return base64.b64encode(gzip.compress(tar.getvalue(), mtime=0)).decode()


def _member(entry: Entry, content: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(entry.path)
    member.mode = 0o755 if entry.mode == "100755" else 0o644
    if entry.mode == "120000":
        member.type = tarfile.SYMTYPE
        member.linkname = content.decode(errors="surrogateescape")
    else:
        member.size = len(content)
    return member


def _shown(path: bytes) -> str:
    return path.decode(errors="surrogateescape")
