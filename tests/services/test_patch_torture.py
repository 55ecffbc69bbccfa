"""Every kind of change that git can hold, applied in every way that consumers apply one."""

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from change_cases import HELD, REFUSED
from histories import Repository
from trees import SUBMODULE, Files, Node, check_out, commit_files, commit_names, files_in, node, run

from forge.inside import restore
from forge.services.docker_scripts import ATTRIBUTES
from forge.services.git import Failed, Git, Pair, Patches

TESTS = r"(^|/)tests/"
APPLY = ["git", "apply", "--verbose"]
REJECT = [*APPLY, "--reject"]
PATCH = ["patch", "--batch", "--forward", "--fuzz=5", "-p1"]
BEYOND_PATCH = (
    *("submodule", "binary", "NUL", "not UTF-8", "becomes a folder", "becomes a file", "20 MB"),
    *("becomes a link", "spaces", "patterns", "magic", "encoding"),
)


class Torn(NamedTuple):
    """The repository of all cases, a git to ask, and where the pair of each case is."""

    repository: Repository
    git: Git
    pairs: dict[str, Pair]

    def cut(self, pair: Pair) -> Patches:
        return asyncio.run(self.git.cut("ann/fix", pair, TESTS))

    def refusal(self, pair: Pair) -> tuple[str, str]:
        with pytest.raises(Failed) as failed:
            self.cut(pair)
        return failed.value.failure.kind, failed.value.failure.reason


@pytest.fixture(scope="module")
def torn(tmp_path_factory) -> Torn:
    folder = tmp_path_factory.mktemp("torture")
    repository = Repository(folder / "served/ann/fix")
    repository.git("config", "core.bigFileThreshold", "1m")  # saves the time of packing
    repository.git("config", "pack.compression", "0")
    cases = HELD | REFUSED
    trees = [files for case in cases.values() for files in (case.before, case.after)]
    commits = iter(commit_files(repository, *trees))
    pairs = {name: Pair(next(commits), next(commits)) for name in cases}
    return Torn(repository, Git(repository.template, folder / "mirrors"), pairs)


class Bed:
    """The base of a case in a work tree, as images hold it."""

    def __init__(self, torn: Torn, pair: Pair, folder: Path, attributes: str = ATTRIBUTES) -> None:
        (torn.repository.folder / ".git/info/attributes").write_text(f"{attributes}\n")
        self.variables = check_out(torn.repository, pair.base, folder)
        self.folder = folder

    def apply(self, words: list[str], *patches: str) -> "Bed":
        said = [run(words, self.folder, self.variables, p.encode()) for p in patches if p]
        assert not any(said), said
        return self

    def restore(self, patches: Patches, monkeypatch: pytest.MonkeyPatch) -> "Bed":
        archive = self.folder.with_name("tests.tar.gz")
        archive.write_bytes(base64.b64decode(patches.test_archive))
        monkeypatch.chdir(self.folder)
        restore.main(str(archive), patches.removed_test_paths)
        return self

    @property
    def files(self) -> Mapping[str, Node]:
        return files_in(self.folder)


def of_the_merge(files: Files) -> dict[str, Node]:
    """What a work tree shows: of submodules, a folder at most."""
    shown = {path: node(content) for path, content in files.items()}
    return {path: at for path, at in shown.items() if at.mode != SUBMODULE}


@pytest.mark.parametrize("name", HELD)
def test_base_with_both_patches_is_the_merge_however_they_are_applied(
    torn, name, tmp_path, monkeypatch
):
    pair, merge = torn.pairs[name], of_the_merge(HELD[name].after)
    patches = torn.cut(pair)
    gold, test = patches.gold_patch, patches.test_patch

    one, two, three, four, five = (Bed(torn, pair, tmp_path / f"{n}") for n in range(5))
    assert one.apply(APPLY, gold).apply(REJECT, test).files == merge
    assert two.apply(APPLY, gold).restore(patches, monkeypatch).files == merge
    assert three.restore(patches, monkeypatch).files == four.apply(APPLY, test).files
    if not any(word in name for word in BEYOND_PATCH):
        assert five.apply(PATCH, gold, test).files == merge


def test_work_tree_that_converts_line_ends_is_not_the_merge(torn, tmp_path):
    name = "attributes: text=auto"  # its file has mixed ends, and text=auto makes them one kind
    gold_patch = torn.cut(torn.pairs[name]).gold_patch

    bed = Bed(torn, torn.pairs[name], tmp_path / "bed", attributes="").apply(APPLY, gold_patch)

    assert HELD[name].after["a"].startswith("1\r\n2\n3\n")
    assert bed.files["a"].content == b"1\n2\n3\n4\n5\n6\n8\n"


@pytest.mark.parametrize("name", REFUSED)
def test_change_that_no_two_texts_can_hold_is_refused_with_its_reason(torn, name):
    assert torn.refusal(torn.pairs[name])[1] == REFUSED[name].reason


UNSAFE = "path_unsafe"
NAMES = {
    ("40000", ".."): UNSAFE,
    ("40000", "."): UNSAFE,
    ("100644", "../evil"): UNSAFE,
    ("100644", "/evil"): "patches_miss_the_merge",
    ("100644", "b//evil"): "gold_patch_does_not_apply",
    ("40000", ".git"): UNSAFE,
    ("40000", ".GiT"): UNSAFE,
    ("40000", ".git "): UNSAFE,
    ("40000", ".git. ."): UNSAFE,
    ("40000", ".git::$INDEX_ALLOCATION"): UNSAFE,
    ("100644", ".git\\evil"): UNSAFE,
    ("40000", "GIT~1"): UNSAFE,
    ("40000", ".g\u200cit"): UNSAFE,
    ("40000", ".git\ufeff"): UNSAFE,
    ("120000", ".gitmodules"): UNSAFE,
}


@pytest.mark.parametrize("odd", NAMES)
def test_path_that_leaves_the_tree_or_is_git_to_any_system_is_refused(torn, odd):
    safe, _ = torn.pairs["kind: links go"]
    evil = commit_names(torn.repository, odd)

    assert torn.refusal(Pair(safe, evil))[1] == NAMES[odd]
    assert torn.refusal(Pair(evil, safe)) == ("policy", UNSAFE)


def test_child_of_a_link_is_refused(torn):
    safe, _ = torn.pairs["kind: links go"]
    evil = commit_names(torn.repository, ("120000", "l"), ("40000", "l"))

    assert torn.refusal(Pair(safe, evil)) == ("data", "gold_patch_does_not_apply")
    assert torn.refusal(Pair(evil, safe)) == ("data", "gold_patch_does_not_apply")
