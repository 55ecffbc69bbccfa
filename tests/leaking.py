"""The root folder of a tiny task's image, in which leaks can be planted."""

import io
import subprocess
import tarfile
import zipfile
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
