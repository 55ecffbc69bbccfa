"""The leaks that can be planted in a tiny task's image, one by one."""

import bz2
import gzip
import io
import json
import py_compile
import shutil
import tarfile
from collections.abc import Callable

from leaking import CACHED, FIX, GIT, OLD, SITE, SUMS, TEST, TESTS, Image, tarred, zipped

# Two of the three distinctive lines, and letters too few to be surely the fix's own.
LATER = """class MismatchedSummands(TypeError): pass

def sum_of_matching_summands(first, second): return first.plus(second)
"""
UNKNOWN = "Metadata-Version: 2.1\nName: Sums\nVersion: 0.0.0+unknown\n"


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


def untold(plant: Callable[[Image], str]) -> Callable[[Image], str]:
    """A leak in an image whose project cannot tell its own version."""

    def planted(image: Image) -> str:
        image.write(f"{SITE}/sums-1.0.dist-info/METADATA", UNKNOWN)
        return plant(image)

    return planted


def sparse(content: str) -> bytes:
    """A tar archive of one member with a hole of 70 MB."""
    packed = io.BytesIO()
    told = {"major": "1", "minor": "0", "name": "sums.py", "realsize": "70000000"}
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("sparse")
        member.pax_headers = {f"GNU.sparse.{name}": value for name, value in told.items()}
        inner = f"1\n0\n{len(content)}\n".encode().ljust(512, b"\0") + content.encode()
        member.size = len(inner)
        archive.addfile(member, io.BytesIO(inner))
    return packed.getvalue()


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


def marked(form: str) -> str:
    """The fix, with something around each line."""
    return "".join(form.format(*told) + "\n" for told in enumerate(FIX.splitlines(), 1))


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
    "an installed copy where the base's version is unknown": (
        "installed_copy",
        untold(lambda image: image.metadata("9.0", "sums-9.0")),
    ),
    "a wheel where the base's version is unknown": (
        "cache",
        untold(file("srv/wheels/sums-9.0-py3-none-any.whl", zipped({"a.py": "a = 1\n"}))),
    ),
    "an installed copy that is a little later": ("installed_copy", file(f"{SITE}/sums.py", LATER)),
    "a compiled copy that is a little later": (
        "cache",
        lambda image: compiled(image, f"{SITE}/__pycache__/sums.cpython-311.pyc", LATER),
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
    "a part of the fix in a record": ("file", file("srv/a.json", json.dumps({"source": FIX}))),
    "a part of the fix in a list": (
        "file",
        file("srv/b.json", json.dumps(FIX.splitlines(keepends=True))),
    ),
    "a part of the fix in a notebook": (
        "file",
        file("srv/a.ipynb", json.dumps({"source": FIX.splitlines(keepends=True)}, indent=1)),
    ),
    "a part of the fix in a log": ("file", file("srv/log", f"read {FIX!r}\n")),
    "lines with their authors": (
        "file",
        file("srv/blame", marked("8f3c2a1e (Ada Lovelace 2026-01-02 03:04:05 +0000 {:2}) {}")),
    ),
    "lines with their numbers": ("file", file("srv/found", marked("lib/sums.py:{}:{}"))),
    "a patch in colours": ("file", file("srv/colours", marked("\x1b[32m+\x1b[m\x1b[32m{1}\x1b[m"))),
    "a short name of the commit": ("file", naming("root/.bash_history", "ls\nless {fix:.12}\n")),
    "a shorter one that git was told": ("file", naming("srv/a.sh", "git show -p {fix:.7}\n")),
    "a version made of it": (
        "file",
        naming("srv/version.py", "v = '1.1.dev3+g{fix:.9}.d20260102'\n"),
    ),
    "a sparse member of an archive": ("file", inside("srv/a.tar", sparse(FIX), "sums.py")),
    "a file that the checkout changed": ("file", file("testbed/tests/test_sums.py", TEST)),
}
