"""Who a repository is where no service tells its id."""

import hashlib
import re

# GitHub's rules, a little wider: what passes is safe in an address and in the name of a folder.
REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def is_repository(name: str) -> bool:
    """Whether a text is an owner/name.

    >>> [is_repository(name) for name in ("psf/requests", "psf/.github", "psf/..", "requests")]
    [True, True, False, False]
    """
    return REPOSITORY.fullmatch(name) is not None


def derived_id(repo: str) -> int:
    """The id that forge gives a repository by its name: the same in every spelling, and negative.

    >>> derived_id("psf/requests") == derived_id("PSF/Requests") < 0
    True
    """
    first = hashlib.sha256(repo.lower().encode()).digest()[:8]
    return -(int.from_bytes(first, "big") >> 2)
