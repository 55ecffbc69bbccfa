import polars as pl
import pytest

from forge.rules.titles import IS_BUMP, IS_MERGE, IS_RELEASE, IS_REVERT

KINDS = {"bump": IS_BUMP, "revert": IS_REVERT, "release": IS_RELEASE, "merge": IS_MERGE}
TITLES = {
    "Bump pytest from 7 to 8": "bump",
    "Bump the actions group across 1 directory with 3 updates": "bump",
    "chore(deps): bump lodash from 4.17.20 to 4.17.21 in /web": "bump",
    "build(deps-dev): Update ruff requirement": "bump",
    "fix(deps): update dependency react to v18": "bump",
    "Bump version to 1.4.0": "bump",
    "Update dependency numpy to v2": "bump",
    "Update requirements.txt": "bump",
    "Update all dependencies": "bump",
    "[pre-commit.ci] pre-commit autoupdate": "bump",
    "chore: upgrade to Python 3.12": "bump",
    "Lock file maintenance": "bump",
    'Revert "Add caching"': "revert",
    'Reapply "Add caching"': None,
    "revert: drop the cache": "revert",
    "[3.12] Revert gh-1234": "revert",
    "Back out the new scheduler": "revert",
    "Release 1.4.0": "release",
    "v2.0.0rc1": "release",
    "chore(release): 1.2.3": "release",
    "Prepare release 3.1": "release",
    "Prepare for the next release": "release",
    "Version 0.12": "release",
    "Merge main into dev": "merge",
    "Merge branch 'main' into feature": "merge",
    "sync upstream changes": "merge",
    "Merge pull request #1 from ann/master": "merge",
    "Bump allocator: round sizes up to 16": None,
    "Fix bump mapping of normals": None,
    "Update the parser so that it reverts on errors": None,
    "Release the lock when the thread dies": None,
    "Add reverse() to lists": None,
    "Support version 3 of the protocol": None,
    "Merge overlapping intervals": None,
    "Update docs of merge()": None,
    "Pin the window to the top": None,
    "Upgrade connections to TLS": None,
    "Versioned URLs for assets": None,
    "Prepare statements once": None,
    "Update requirement checks for empty lists": "bump",
}


@pytest.mark.parametrize(("title", "kind"), TITLES.items())
def test_title_is_of_its_kind_alone(title, kind):
    found = pl.select(title=pl.lit(title)).select(**KINDS).row(0, named=True)
    assert [name for name, is_it in found.items() if is_it] == ([kind] if kind else [])
