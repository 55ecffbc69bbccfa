import asyncio
import base64
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from histories import EXECUTABLE, Repository
from trees import commit_files

from forge.diffs import sections
from forge.services import git_patches
from forge.services.git import Failed, Git, Pair, Patches

TESTS = r"(^|/)tests/"
LATIN = "café\n".encode("latin-1")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served/ann/fix")


@pytest.fixture
def cut(repository: Repository, tmp_path: Path):
    def between(base: str, merge: str) -> Patches:
        git = Git(repository.template, tmp_path / "mirrors")
        return asyncio.run(git.cut("ann/fix", Pair(base, merge), TESTS))

    return between


def reason(cut, base: str, merge: str) -> str:
    with pytest.raises(Failed) as failed:
        cut(base, merge)
    return failed.value.failure.reason


def archived(patches: Patches) -> list[tarfile.TarInfo]:
    content = io.BytesIO(base64.b64decode(patches.test_archive))
    with tarfile.open(fileobj=content, mode="r:gz") as tar:
        return tar.getmembers()


BEFORE = {
    "crlf.py": b"one\r\ntwo\r\n",
    "latin.py": LATIN,
    "no_end.py": "one",
    "empty.py": "",
    "binary.bin": b"\0\1\2",
    "nul.txt": "x" * 9_000 + "\0\n",
    "with space.py": "one\n",
    "naïve ☃.py": "one\n",
    'tab\tquote".py': "one\n",
    "form\ffeed.py": "one\f\ntwo\u2028three\rfour\n",
    "gone.py": "one\n",
    "moved_to_test.py": "one\ntwo\nthree\n",
    "tests/moved_to_code.py": "one\ntwo\nthree\n",
    "a file": "--- a/fake\n+++ b/fake\n",
    "folder/becomes.py": "one\n",
    ".gitattributes": "* text=auto\n*.py eol=crlf\n*.txt filter=lfs\n",
}
AFTER = {
    "crlf.py": b"one\r\nthree\r\n",
    "latin.py": LATIN * 2,
    "no_end.py": "two",
    "empty.py": "no more\n",
    "emptied.py": "",
    "binary.bin": b"\0\1\3",
    "nul.txt": "y" * 9_000 + "\0\n",
    "with space.py": "two\n",
    "naïve ☃.py": "two\n",
    'tab\tquote".py': "two\n",
    "form\ffeed.py": "one\f\ntwo\u2028three\rfive\n",
    "gone.py": None,
    "moved_to_test.py": None,
    "tests/moved_to_test.py": "one\ntwo\nthree\n",
    "tests/moved_to_code.py": None,
    "moved_to_code.py": "one\ntwo\nthree\n",
    "a file": "diff --git a/x b/x\n--- a/fake\n+++ b/other\n",
    "folder/becomes.py": None,
    "folder/becomes.py/file.py": "one\n",
    ".gitattributes": "* text=auto\n",
    "tests/test_new.py": "def test_new(): pass\n",
}


@pytest.fixture
def torture(repository: Repository) -> Pair:
    repository.write(BEFORE)
    (repository.folder / "link").symlink_to("/etc/passwd")
    (repository.folder / "tests/link").symlink_to("moved_to_code.py")
    base = raw_commit(repository)
    (repository.folder / "link").unlink()
    repository.write(AFTER | {"link": "a file now\n", "tests/link": None})
    (repository.folder / "tests/link").symlink_to("test_new.py")
    (repository.folder / "with space.py").chmod(EXECUTABLE)
    (repository.folder / "tests/test_new.py").chmod(EXECUTABLE)
    return Pair(base, raw_commit(repository, submodule=base))


def raw_commit(repository: Repository, submodule: str | None = None) -> str:
    """Commit the work tree as it lies there: no attribute may convert what a test wrote."""
    (repository.folder / ".git/info/attributes").write_text("* -text -filter\n")
    repository.git("add", "--all", "--force")
    if submodule:
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{submodule},vendored")
    return repository.commit_index("commit", "--quiet", "-m", "As it lies")


def test_base_with_both_patches_is_the_merge_for_every_kind_of_file(torture, repository, cut):
    patches = cut(*torture)

    repository.git("read-tree", torture.base)
    for patch in (patches.test_patch, patches.gold_patch):
        repository.git("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch.encode())

    assert repository.git("write-tree") == repository.sha(f"{torture.merge}^{{tree}}")


def test_patches_apply_to_a_work_tree_too(torture, repository, cut, tmp_path):
    patches = cut(*torture)
    folder = tmp_path / "work"
    folder.mkdir()
    tar = subprocess.run(
        ["git", "-C", repository.folder, "archive", torture.base], capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", folder], input=tar.stdout, check=True)

    subprocess.run(["git", "init", "--quiet", folder], check=True)
    for patch in (patches.gold_patch, patches.test_patch):
        subprocess.run(["git", "-C", folder, "apply", "-"], input=patch.encode(), check=True)

    assert (folder / "crlf.py").read_bytes() == b"one\r\nthree\r\n"
    assert (folder / "binary.bin").read_bytes() == b"\0\1\3"
    assert (folder / "tests/test_new.py").read_text() == "def test_new(): pass\n"


def test_a_section_that_is_no_utf8_or_holds_a_nul_becomes_binary(torture, cut):
    texts = {part.path: part.text for part in sections(cut(*torture).gold_patch)}

    binary = [path for path, text in texts.items() if "GIT binary patch" in text]

    assert binary == ["binary.bin", "latin.py", "nul.txt"]


def test_a_file_that_moves_between_code_and_tests_is_in_both_patches(torture, cut):
    patches = cut(*torture)

    gold = [part.path for part in sections(patches.gold_patch) if "moved" in part.path]
    test = [part.path for part in sections(patches.test_patch) if "moved" in part.path]

    assert gold == ["moved_to_code.py", "moved_to_test.py"]
    assert test == ["tests/moved_to_code.py", "tests/moved_to_test.py"]


def test_tests_are_archived_as_the_merge_has_them(torture, cut):
    patches = cut(*torture)

    assert patches.test_paths == ["tests/link", "tests/moved_to_test.py", "tests/test_new.py"]
    assert patches.removed_test_paths == ["tests/moved_to_code.py"]
    assert [(m.name, m.mode, m.linkname, m.size) for m in archived(patches)] == [
        ("tests/link", 0o644, "test_new.py", 0),
        ("tests/moved_to_test.py", 0o644, "", 14),
        ("tests/test_new.py", 0o755, "", 21),
    ]


def test_equal_changes_have_equal_patches_archives_and_ids(torture, repository, cut, tmp_path):
    other = Git(repository.template, tmp_path / "other mirrors: with a colon")

    assert asyncio.run(other.cut("ann/fix", torture, TESTS)) == cut(*torture)


BLOCK = "".join(f"{n}\n" for n in range(9))


def test_the_id_of_a_change_is_the_same_wherever_its_lines_lie_and_another_for_another(
    repository, cut
):
    befores = {"a.py": BLOCK}, {"a.py": f"new\n{BLOCK}", "other.py": "x\n"}
    afters = (
        {"a.py": f"{BLOCK}x\n", "tests/b.bin": b"\0\1"},
        {"a.py": f"new\n{BLOCK}x\n", "tests/b.bin": b"\0\1", "other.py": "x\n"},
        {"a.py": f"{BLOCK}x\n", "tests/b.bin": b"\0\2"},
    )
    (first, second), others = commit_files(repository, *befores), commit_files(repository, *afters)
    pairs = zip((first, second, first), others, strict=True)

    one, moved, other = (cut(*pair).patch_id for pair in pairs)

    assert one == moved
    assert other not in {one, None}


def test_a_change_without_tests_has_an_empty_test_patch(repository, cut):
    base = repository.commit("Begin", {"a.py": "one\n"})
    merge = repository.commit("Two", {"a.py": "two\n"})

    patches = cut(base, merge)

    assert (patches.test_patch, patches.test_paths) == ("", [])
    assert patches.gold_patch.endswith("-one\n+two\n")


def test_a_test_name_that_is_no_utf8_is_a_reason(repository, cut):
    base = repository.commit("Begin", {"a.py": "one\n"})
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"one\n")
    tests = repository.git("mktree", "-z", stdin=f"100644 blob {blob}\tbad".encode() + b"\xff\0")
    merge = tree_commit(repository, f"040000 tree {tests}\ttests\n", base)

    assert reason(cut, base, merge) == "path_not_utf8"


def test_a_change_beyond_the_bound_is_a_reason(repository, cut, monkeypatch):
    base = repository.commit("Begin", {"tests/a.py": "one\n"})
    merge = repository.commit("Grow", {"tests/a.py": "x" * 2_000})

    monkeypatch.setattr(git_patches, "PATCH_BYTES", 1_000)
    assert reason(cut, base, merge) == "patch_too_large"
    monkeypatch.undo()
    monkeypatch.setattr(git_patches, "ARCHIVE_BYTES", 1_000)
    assert reason(cut, base, merge) == "tests_too_large"


def test_a_test_patch_that_needs_the_gold_patch_is_a_reason(repository, cut):
    base = repository.commit("Begin", {"tests": "a file\n"})
    merge = repository.commit("Grow", {"tests": None, "tests/a.py": "one\n"})

    assert reason(cut, base, merge) == "test_patch_does_not_apply"


def tree_commit(repository: Repository, listing: str, parent: str) -> str:
    tree = repository.git("mktree", stdin=listing.encode())
    commit = repository.git("commit-tree", tree, "-p", parent, "-m", "Odd")
    repository.git("update-ref", "refs/heads/odd", commit)
    return commit
