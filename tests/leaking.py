"""The root folder of a tiny task's image, and the leaks that can be planted in it, one by one."""

import bz2
import gzip
import io
import json
import py_compile
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from histories import Repository

from forge.leaks import wanted

OLD = "def add(first, second):\n    return first - second\n"
FIX = """def add(first, second):
    if not isinstance(first, type(second)):
        raise MismatchedSummands(f"cannot add {first!r} to what is no {type(first).__name__}")
    return sum_of_matching_summands(first, second)

class MismatchedSummands(TypeError): pass

def sum_of_matching_summands(first, second): return first + second

def names_of_summands(summands): return sorted(map(str, summands))
"""
TEST = """from sums import add, MismatchedSummands

def test_mismatched_summands_are_refused_by_name():
    with pytest.raises(MismatchedSummands, match="cannot add 1 to what is no int") as refused:
        add(1, "two hundred and twenty-two")
    assert "two hundred and twenty-two" not in str(refused.value), refused.traceback
"""
SUMS = "\n".join(map(str, range(50)))
MANIFEST = '[project]\nname = "sums"\nversion = "1.0"\n'
SITE = "opt/venv/lib/python3.11/site-packages"
GIT = "testbed/.git"
CACHED = "testbed/__pycache__/sums.cpython-311.pyc"
TESTS = "tests/test_mismatched_summands.py"


class Image:
    """A folder that is laid out as forge lays out an image, of the commit before the fix."""

    def __init__(self, folder: Path) -> None:
        self.root, self.origin = folder / "image", Repository(folder / "origin")
        files = {"sums.py": OLD, "pyproject.toml": MANIFEST, "tests/test_sums.py": "import sums\n"}
        self.base = self.origin.commit("Begin", files)
        self.fix = self.origin.commit(
            "Refuse", {"sums.py": FIX, TESTS: TEST, "tests/sums.json": SUMS}
        )
        diff = ("diff", "--full-index", self.base, self.fix, "--")
        patches = [self.origin.git(*diff, path) + "\n" for path in ("sums.py", "tests")]
        parts = wanted(*patches, r"pyproject\.toml$")
        self.wanted = {"commit": self.base, "shas": [self.fix], "parts": parts}
        self._lay_out()

    def _lay_out(self) -> None:
        self.write(f"{GIT}/HEAD", f"{self.base}\n")
        self.write(f"{GIT}/shallow", f"{self.base}\n")
        self.write(f"{GIT}/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n")
        self.pack(self.base)
        for folder in ("refs/heads", "refs/tags"):
            (self.root / GIT / folder).mkdir(parents=True)
        self.git("read-tree", "--reset", "-u", "HEAD")
        self.metadata(
            "1.0", "sums-1.0", '{"url": "file:///testbed", "dir_info": {"editable": true}}'
        )

    def write(self, path: str, content: str | bytes) -> str:
        """Write a file of the image, over what is there."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def metadata(self, version: str, name: str, direct_url: str | None = None) -> str:
        """Write what an installer leaves of the project in a version."""
        folder = f"{SITE}/{name}.dist-info"
        self.write(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: Sums\nVersion: {version}\n")
        if direct_url:
            self.write(f"{folder}/direct_url.json", direct_url)
        return folder

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """What git says in the image's repository."""
        folder = self.root / "testbed"
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, input=stdin)
        return done.stdout.decode().strip()

    def pack(self, commit: str) -> str:
        """A pack of one commit's objects, in the image's repository."""
        listed = self.origin.git("rev-list", "--objects", "--no-walk", commit)
        names = "".join(f"{line[:40]}\n" for line in listed.splitlines()).encode()
        stem = self.root / GIT / "objects/pack/pack"
        stem.parent.mkdir(parents=True, exist_ok=True)
        sha = self.origin.git("pack-objects", "--quiet", str(stem), stdin=names)
        stem.with_name(f"pack-{sha}.rev").unlink(missing_ok=True)
        return f"{GIT}/objects/pack/pack-{sha}.pack"


def zipped(members: dict[str, str | bytes]) -> bytes:
    """A zip archive, which a wheel is too."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(members: dict[str, str | bytes], mode: str) -> bytes:
    """A tar archive, compressed as the mode says."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, content in members.items():
            inner = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(inner)
            archive.addfile(member, io.BytesIO(inner))
    return packed.getvalue()


def compiled(image: Image, path: str, code: str = FIX) -> str:
    source = image.root.parent / "later.py"
    source.write_text(code)
    (image.root / path).parent.mkdir(parents=True, exist_ok=True)
    py_compile.compile(str(source), cfile=str(image.root / path), doraise=True)
    return path


def loose(image: Image) -> str:
    sha = image.git("hash-object", "-w", "--stdin", stdin=FIX.encode())
    return f"{GIT}/objects/{sha[:2]}/{sha[2:]}"


def unreachable(image: Image) -> str:
    sha = image.git("commit-tree", f"{image.base}^{{tree}}", "-p", image.base, "-m", "Refuse")
    return f"{GIT}/objects/{sha[:2]}/{sha[2:]}"


def commit_graph(image: Image) -> str:
    image.origin.git("commit-graph", "write", "--reachable")
    graph = image.origin.folder / ".git/objects/info/commit-graph"
    return image.write(f"{GIT}/objects/info/commit-graph", graph.read_bytes())


def indexed(image: Image) -> str:
    image.git("update-index", "--add", "--cacheinfo", f"100644,{image.fix},later.py")
    return f"{GIT}/index"


def clone(image: Image) -> str:
    shutil.copytree(image.origin.folder / ".git", image.root / "root/.cache/uv/git-v0/db/1")
    for name in ("logs", "refs/heads/main", "COMMIT_EDITMSG"):
        place = image.root / "root/.cache/uv/git-v0/db/1" / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    return "root/.cache/uv/git-v0/db/1"


def file(path: str, content: str | bytes) -> Callable[[Image], str]:
    """A leak that is one file."""
    return lambda image: image.write(path, content)


def naming(path: str, text: str) -> Callable[[Image], str]:
    """A leak that is one file, with the fix's commit in it."""
    return lambda image: image.write(
        *(t.format(fix=image.fix, base=image.base) for t in (path, text))
    )


def inside(path: str, content: bytes, name: str) -> Callable[[Image], str]:
    """A leak that is a member of an archive."""
    return lambda image: f"{image.write(path, content)}!{name}"


CONFIG = "[core]\n\trepositoryformatversion = 0\n[user]\n\tname = Ada\n\temail = a@b\n"
LOG = "0" * 40 + " {base} Ada <a@b> 1 +0000\tclone\n{base} {fix} Ada <a@b> 2 +0000\tpull\n"
NODE_IDS = json.dumps([f"{TESTS}::test_mismatched_summands_are_refused_by_name"])
PATCH = "".join(f"+{line}\n" for line in FIX.splitlines())
PLANTS: dict[str, tuple[str, Callable[[Image], str]]] = {
    "a loose object": ("git_object", loose),
    "a pack": ("git_object", lambda image: image.pack(image.fix)),
    "a pack that git does not know": (
        "git_object",
        file(f"{GIT}/objects/pack/pack-1.pack", "PACK"),
    ),
    "a commit that nothing names": ("git_object", unreachable),
    "objects of another folder": (
        "git_alternates",
        file(f"{GIT}/objects/info/alternates", "/opt/objects\n"),
    ),
    "a branch": ("git_ref", naming(f"{GIT}/refs/heads/fix", "{fix}\n")),
    "a branch that is named for it": ("git_ref", naming(f"{GIT}/refs/heads/on-{{fix}}", "{base}")),
    "a tag": ("git_ref", naming(f"{GIT}/refs/tags/v2.0", "{fix}\n")),
    "a packed tag": ("git_ref", naming(f"{GIT}/packed-refs", "{base} refs/a\n{fix} refs/tags/b\n")),
    "a stash": ("git_ref", naming(f"{GIT}/refs/stash", "{fix}\n")),
    "a reflog": ("git_reflog", naming(f"{GIT}/logs/HEAD", LOG)),
    "ORIG_HEAD": ("git_head", naming(f"{GIT}/ORIG_HEAD", "{fix}\n")),
    "FETCH_HEAD": ("git_head", naming(f"{GIT}/FETCH_HEAD", "{fix}\t\tbranch 'main' of origin\n")),
    "a worktree": ("git_worktree", naming(f"{GIT}/worktrees/other/HEAD", "{base}\n")),
    "a hook": ("git_hook", file(f"{GIT}/hooks/post-checkout", "git pull\n")),
    "a remote's address": (
        "git_config",
        naming(f"{GIT}/config", '[core]\n\tbare = false\n[remote "o"]\n\turl = /a/{fix:.9}\n'),
    ),
    "a message": ("git_file", file(f"{GIT}/MERGE_MSG", "Refuse summands that do not match\n")),
    "an entry of the index": ("git_index", indexed),
    "a commit graph": ("git_commit_graph", commit_graph),
    "a clone of the project": ("git_object", clone),
    "an installed copy": ("installed_copy", file(f"{SITE}/sums.py", FIX)),
    "an installed copy of Debian": (
        "installed_copy",
        file("usr/lib/python3/dist-packages/sums.py", f"import os\n\n{FIX}"),
    ),
    "an installed copy of a higher version": (
        "installed_copy",
        lambda image: image.metadata("1.1", "sums-1.1"),
    ),
    "an installer's note": (
        "installed_copy",
        naming(f"{SITE}/later-1.dist-info/direct_url.json", '{{"commit_id": "{fix}"}}'),
    ),
    "a wheel": (
        "installed_copy",
        inside("usr/share/wheels/sums-1.0-py3-none-any.whl", zipped({"sums.py": FIX}), "sums.py"),
    ),
    "a wheel of a higher version": (
        "cache",
        file("usr/share/wheels/sums-1.1-py3-none-any.whl", zipped({"a.py": "a = 1\n"})),
    ),
    "a download in pip's cache": (
        "cache",
        inside("root/.cache/pip/http/a/b", b"cc=4" + zipped({"sums.py": FIX}), "sums.py"),
    ),
    "an unpacked wheel in uv's cache": (
        "cache",
        file("root/.cache/uv/archive-v0/x/sums.py", FIX),
    ),
    "a module in Go's cache": ("cache", file("root/go/pkg/mod/a/sums@v1.1/sums.py", FIX)),
    "a source distribution": (
        "file",
        inside("srv/sums.tar.gz", tarred({"sums/sums.py": FIX}, "w:gz"), "sums/sums.py"),
    ),
    "an archive in an archive": (
        "file",
        inside("srv/a.zip", zipped({"b.tar": tarred({"c.py": FIX}, "w")}), "b.tar!c.py"),
    ),
    "a tar.bz2": (
        "file",
        inside("srv/sums.tar.bz2", tarred({"sums.py": FIX}, "w:bz2"), "sums.py"),
    ),
    "a compressed file": ("file", file("usr/share/doc/sums.py.gz", gzip.compress(FIX.encode()))),
    "a compressed test": ("file", file("srv/test.bz2", bz2.compress(TEST.encode()))),
    "a module compiled from later source": ("cache", lambda image: compiled(image, CACHED)),
    "a module compiled from another source": (
        "cache",
        lambda image: compiled(image, CACHED, OLD + "sub = add\n"),
    ),
    "a compiled module elsewhere": ("file", lambda image: compiled(image, "usr/lib/sums.pyc")),
    "what pytest remembers": (
        "cache",
        file("testbed/.pytest_cache/v/cache/nodeids", NODE_IDS),
    ),
    "what mypy remembers": (
        "cache",
        file("testbed/.mypy_cache/3.11/sums.meta.json", '{"names": ["MismatchedSummands"]}'),
    ),
    "what ruff remembers": ("cache", file("testbed/.ruff_cache/0.1/1", b"\0" + TESTS.encode())),
    "a build's copy": ("build_output", file("testbed/build/lib/sums.py", FIX)),
    "a distribution's list of files": (
        "build_output",
        file("testbed/sums.egg-info/SOURCES.txt", f"sums.py\n{TESTS}\n"),
    ),
    "a compiled extension": (
        "build_output",
        file("testbed/sums.so", b"\x7fELF\0MismatchedSummands\0sum_of_matching_summands\0"),
    ),
    "the hidden tests": ("file", file("home/forge/hidden.py", TEST)),
    "a file of the hidden tests without a line of its own": ("file", file("srv/sums", SUMS)),
    "a part of the hidden tests": ("file", file("srv/a.py", "\n".join(TEST.split("\n")[3:]))),
    "a patch": ("file", file("root/fix.diff", f"--- a\n+++ b\n@@ -1 +1,4 @@\n-old\n{PATCH}")),
    "a file that the checkout changed": ("file", file("testbed/tests/test_sums.py", TEST)),
}
