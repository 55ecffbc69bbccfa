"""Commits of which the server lacks files: held without them, and otherwise as any other.

Fetched in a draft, because git would take a repository for a partial clone from then on, and every
question about a missing file for one to the network.
"""

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from forge.effect import Failure
from forge.services.git_command import Call, Failed, git

if TYPE_CHECKING:
    from forge.services.git_mirrors import Mirror

ROUNDS = 200
"""Files that may be missing: the server names one at a time."""
FILTERED = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none")
ABSENT_FILE = re.compile(r"not our ref ([0-9a-f]{40,64})")


async def hold_holed(mirror: "Mirror", draft: "Mirror", commit: str, lock: int) -> None:
    """Hold a commit with those of its files that the server has."""
    shutil.rmtree(draft.folder, ignore_errors=True)
    draft.folder.mkdir(parents=True)
    await git(Call(draft.objects, ["init", "--quiet", "--bare", "--template="], lock=lock))
    ref = f"+{commit}:refs/commits/{commit}"
    await git(draft.call(draft.objects, *FILTERED, "--depth=1", "origin", ref, lock=lock))
    await _fetch_files(draft, commit, lock)
    await _take_over(mirror, draft, commit, lock)
    shutil.rmtree(draft.folder)


async def _fetch_files(draft: "Mirror", commit: str, lock: int) -> None:
    listing = await draft.read_objects("ls-tree", "-r", "-z", "--full-tree", commit)
    about = [line.partition(b"\t")[0].split() for line in listing.split(b"\0") if line]
    wanted = {words[2].decode() for words in about if words[1] == b"blob"}
    config = {"fetch.negotiationAlgorithm": "noop"}
    call = draft.call(draft.objects, *FILTERED, "--stdin", "origin", lock=lock, config=config)
    for _ in range(ROUNDS):
        names = "".join(f"{sha}\n" for sha in sorted(wanted))
        try:
            await git(replace(call, stdin=names.encode()))
        except Failed as failed:
            absent = wanted & set(ABSENT_FILE.findall(failed.failure.detail or ""))
            if not absent:
                raise
            wanted -= absent
        else:
            return
    raise Failed(Failure("data", "objects_missing", f"more than {ROUNDS} files of {commit}"))


async def _take_over(mirror: "Mirror", draft: "Mirror", commit: str, lock: int) -> None:
    held = ("rev-list", "--objects", "--missing=allow-any", "--no-walk", commit)
    lines = (await draft.read_objects(*held)).splitlines()
    names = b"".join(line.split(b" ")[0] + b"\n" for line in lines)
    pack = ["pack-objects", "--quiet", str(mirror.objects.resolve() / "objects/pack/pack")]
    await git(Call(draft.objects, pack, names, lock=lock))
    _add_shallow(mirror, draft)
    ref = ["update-ref", f"refs/commits/{commit}", commit]
    await git(Call(mirror.objects, ref, lock=lock))


def _add_shallow(mirror: "Mirror", draft: "Mirror") -> None:
    files = [folder.objects / "shallow" for folder in (mirror, draft)]
    known = {line for file in files if file.exists() for line in file.read_text().split()}
    added = draft.folder / "shallow"
    added.write_text("".join(f"{sha}\n" for sha in sorted(known)))
    added.replace(files[0])
