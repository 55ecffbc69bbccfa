"""Where repositories lie, and what they are called."""

import re
from pathlib import Path

from forge.address import masked
from forge.effect import Failure
from forge.errors import InputError
from forge.rules.identity import is_repository
from forge.services.git_command import Failed

SCHEMES = ("http://", "https://", "ssh://", "git://", "file://")
SCP = re.compile(r"\w[\w.-]*@[\w.-]+:[^:]+")
ORIGIN = re.compile(r'\[remote "origin"\][^\[]*?\burl *= *(\S+)')


def address_of(template: str, repo: str) -> str:
    """The address of owner/name under a template; one without placeholders is a single repository.

    >>> address_of("https://github.com/{owner}/{repo}", "psf/requests")
    'https://github.com/psf/requests'
    """
    if not is_repository(repo):
        raise Failed(Failure("data", "repository_name_invalid", f"not an owner/name: {repo!r}"))
    owner, _, name = repo.partition("/")
    address = template.replace("{owner}", owner).replace("{repo}", name)
    return address if _is_remote(address) else f"file://{Path(address).absolute()}"


def checked(address: str) -> str:
    """The address that a user named, as git may have it; a folder becomes file://."""
    if _is_remote(address) and address.isprintable():
        return address
    folder = Path(address).expanduser()
    if folder.is_dir():
        return f"file://{folder.resolve()}"
    raise InputError(
        f"no git repository at {masked(address)}\nname a folder, or an address such as "
        "https://github.com/owner/name"
    )


def repo_of(address: str) -> str:
    """Owner/name by an address; for a folder that of its origin, else local/<folder>.

    >>> repo_of("git@github.com:psf/requests.git")
    'psf/requests'
    """
    if _is_remote(address) and not address.startswith("file://"):
        return _named(address)
    folder = Path(address.removeprefix("file://")).expanduser().resolve()
    origin = _origin(folder)
    if origin and _is_remote(origin) and not origin.startswith("file://"):
        return _named(origin)
    return f"local/{_name(folder.parent.name if folder.name == '.git' else folder.name)}"


def _is_remote(address: str) -> bool:
    return address.startswith(SCHEMES) or SCP.fullmatch(address) is not None


def _named(address: str) -> str:
    path = re.sub(r"^\w+://[^/]*/|^[^:/]+:", "", address).strip("/")
    owner, _, name = path.rpartition("/")
    return f"{_name(owner.rpartition('/')[2]) if owner else 'local'}/{_name(name)}"


def _name(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", text.removesuffix(".git")).strip(".-")[:100]
    return plain or "repository"


def _origin(folder: Path) -> str | None:
    for path in (folder / ".git" / "config", folder / "config"):
        if path.is_file():
            found = ORIGIN.search(path.read_text(errors="replace"))
            return found[1] if found else None
    return None
