import json
import subprocess
import sys
from pathlib import Path

import pytest
from leak_plants import LATER, PLANTS
from leaking import FIX, GIT, OLD, SITE, SUMS, TEST, Image, tarred, zipped

import forge
from forge.inside.leaks import scan
from forge.inside.leaks_git import lengths
from forge.inside.leaks_installed import order
from forge.inside.leaks_text import Wanted
from forge.leaks import wanted


@pytest.fixture
def image(tmp_path) -> Image:
    return Image(tmp_path)


def found(image: Image) -> list[tuple[str, str]]:
    """Kinds and paths, the latter below the root."""
    findings = scan(str(image.root), image.wanted)["findings"]
    return [(one["kind"], str(Path(one["path"]).relative_to(image.root))) for one in findings]


def test_image_as_forge_lays_it_out_holds_no_leak(image):
    assert found(image) == []


@pytest.mark.parametrize("leak", PLANTS)
def test_each_leak_planted_alone_is_found_with_its_path(image, leak):
    kind, plant = PLANTS[leak]
    path = plant(image)
    assert found(image) == [(kind, path)]


HARMLESS = {
    "the base's own files": ("testbed/build/lib/sums.py", OLD),
    "the base's own files in an archive": ("forge/kept.tar.gz", tarred({"a.py": OLD}, "w:gz")),
    "a tag of the base": (f"{GIT}/refs/tags/v1.0", "{base}\n"),
    "a log of the base": (f"{GIT}/logs/HEAD", "0" * 40 + " {base} Ada <a@b> 1 +0000\tclone\n"),
    "a hook that is an example": (f"{GIT}/hooks/pre-commit.sample", "exit 1\n"),
    "a lower version": (f"{SITE}/sums-0.9.dist-info/METADATA", "Name: sums\nVersion: 0.9\n"),
    "a wheel of the base's version": ("srv/sums-1.0-py3-none-any.whl", zipped({"sums.py": OLD})),
    "a line that anybody writes": ("srv/a.py", "    return first\n"),
    "a later copy's line in another project": (f"{SITE}/other/sums.py", LATER),
    "a version of the project that another has vendored": (
        f"{SITE}/other/_vendor/sums-9.0.dist-info/METADATA",
        "Name: sums\nVersion: 9.0\n",
    ),
    "digits that begin as a commit's name": ("srv/hashes", "{fix:.8} {fix:.20}00 git{fix:.30}\n"),
    "a native library's word": (f"{SITE}/sums/a.so", b"\x7fELF\0MismatchedSummands\0"),
    "one of its long words": ("usr/lib/a.so", b"\x7fELF\0MismatchedSummands\0"),
}


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_says_no_more_than_the_base_commit_is_no_leak(image, harmless):
    path, content = HARMLESS[harmless]
    told = {"base": image.base, "fix": image.fix}
    image.write(path, content.format(**told) if isinstance(content, str) else content)
    assert found(image) == []


def test_lines_that_the_base_has_are_no_leak_elsewhere(image):
    image.wanted["parts"][0]["lines"] += ["return first - second"]
    image.write("srv/a.py", OLD * 9)
    assert found(image) == []


def test_lines_that_the_base_has_in_a_string_are_no_leak_elsewhere(image):
    wanted = Wanted(image.wanted["parts"], [])
    wanted.forget([json.dumps({"fix": FIX, "test": TEST}).encode()], set(), {})
    assert wanted.lines == {}


def test_length_of_a_patched_file_is_told_to_the_byte(image):
    told = lengths(str(image.root / GIT), image.wanted["parts"])
    assert sorted(told.values()) == sorted([len(FIX), len(TEST), len(SUMS)])


def test_finding_says_what_was_found(image):
    image.write("srv/sums.py", FIX)
    (finding,) = scan(str(image.root), image.wanted)["findings"]
    assert finding["evidence"] == "gold patch of sums.py: the whole file"
    image.write("srv/sums.py", f"# ours\n{FIX}")
    (finding,) = scan(str(image.root), image.wanted)["findings"]
    assert finding["evidence"] == (
        'gold patch of sums.py: 6 lines: raise MismatchedSummands(f"cannot add {first!r} to what '
        'is no {type(first).__name__}")'
    )


def test_folder_that_is_the_scanners_own_is_left_out(image):
    image.write("forge/scan/wanted.json", FIX)
    own = str(image.root / "forge/scan")
    assert scan(str(image.root), image.wanted, [own])["findings"] == []


def test_archive_that_unfolds_beyond_the_bound_is_named(image):
    image.write("srv/bomb.zip", zipped({"zeros": "0" * 64_000_001}))
    answer = scan(str(image.root), image.wanted)
    assert answer["unread"] == [f"{image.root}/srv/bomb.zip!zeros"]


def test_name_that_is_not_utf8_is_told_as_escapes(image):
    (image.root / "srv").mkdir()
    (image.root / "srv" / b"\xff.py".decode(errors="surrogateescape")).write_text(FIX)
    (finding,) = scan(str(image.root), image.wanted)["findings"]
    assert finding["path"] == f"{image.root}/srv/\\xff.py"


def test_manifests_and_locks_are_not_looked_for(image):
    diff = image.origin.git("diff", "--full-index", image.base, image.fix) + "\n"
    paths = [part["path"] for part in wanted(diff, "", r"sums\.(py|json)$")]
    assert paths == ["tests/test_mismatched_summands.py"]


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("1.0.dev3", "1.0"), ("1.0rc1", "1.0"), ("1.9", "1.10"), ("1.0", "1!1.1"), ("v1", "1.0.1")],
)
def test_versions_are_compared_as_releases(lower, higher):
    assert order(lower) < order(higher)


@pytest.mark.parametrize("same", ["1.0.0", "1", "1.0+local", "1.0.post1"])
def test_versions_that_differ_in_trifles_are_equal(same):
    assert order(same) == order("1.0")


def test_scanner_runs_as_a_program_without_site_packages(image, tmp_path):
    image.write("srv/test.py", TEST)
    (tmp_path / "scan").mkdir()
    asked, answer = tmp_path / "scan/wanted.json", tmp_path / "scan/answer.json"
    asked.write_text(json.dumps(image.wanted))
    source = Path(forge.__file__).parent.parent
    program = (
        f"import sys; sys.path.insert(0, {str(source)!r}); "
        f"from forge.inside.leaks import main; main({str(image.root)!r}, {str(asked)!r}, "
        f"{str(answer)!r})"
    )
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], check=True)
    (finding,) = json.loads(answer.read_text())["findings"]
    assert finding["path"] == f"{image.root}/srv/test.py"
