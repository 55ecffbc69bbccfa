"""Each look of the leak scan is one that a leak needs: without it, that leak is not found."""

import pytest
from leak_plants import PLANTS
from leaking import Image

from forge.inside import leaks, leaks_git, leaks_installed, leaks_text, unpacking
from forge.inside.leaks_text import Wanted

LOOKS = {
    "a loose object": (leaks_git, "_objects"),
    "a pack that git does not know": (leaks_git, "_odd"),
    "an entry of the index": (leaks_git, "_indexed"),
    "a commit graph": (leaks_git, "_graphs"),
    "a tag": (leaks_git, "_files"),
    "a stash": (leaks_git, "_files"),
    "a clone of the project": (leaks.Scan, "_in_other_git"),
    "an installed copy of a higher version": (leaks_installed, "newer"),
    "a source distribution": (unpacking, "_compressed"),
    "a wheel": (unpacking, "_zipped"),
    "an archive in an archive": (unpacking, "_tarred"),
    "a file of the hidden tests without a line of its own": (Wanted, "_same"),
    "a part of the hidden tests": (Wanted, "_lines"),
    "a compiled extension": (Wanted, "_words"),
    "an installed copy that is a little later": (leaks_installed, "imported"),
    "a part of the fix in a record": (leaks_text, "meant"),
    "a patch in colours": (leaks_text, "meant"),
    "a short name of the commit": (leaks_text, "_short"),
    "a module compiled from another source": (leaks.Scan, "_stale"),
}


@pytest.fixture
def image(tmp_path) -> Image:
    return Image(tmp_path)


def is_found(image: Image, path: str) -> bool:
    findings = leaks.scan(str(image.root), image.wanted)["findings"]
    return f"{image.root}/{path}" in {one["path"] for one in findings}


@pytest.mark.parametrize("leak", LOOKS)
def test_leak_is_missed_as_soon_as_nobody_looks_there(image, leak, monkeypatch):
    path = PLANTS[leak][1](image)
    assert is_found(image, path)
    monkeypatch.setattr(*LOOKS[leak], lambda *_, **__: ())
    assert not is_found(image, path)
