"""Which numbers are pull requests, and not issues."""

import re

from forge.services.git_command import FETCH_SECONDS, Call, git
from forge.services.git_mirrors import Mirror

HEAD = re.compile(r"\trefs/pull/([1-9][0-9]{0,17})/head$", re.MULTILINE)


async def numbers(mirror: Mirror) -> frozenset[int] | None:
    """Pull requests whose heads the remote keeps; None where it keeps none at all."""
    listing = ("ls-remote", "origin", "refs/pull/*/head")
    call = Call(mirror.history, listing, seconds=FETCH_SECONDS, address=mirror.address)
    heads = (await git(call)).decode(errors="replace")
    return frozenset(map(int, HEAD.findall(heads))) or None
