"""Where repositories lie, and what they are called."""

import re
from pathlib import Path

from forge.effect import Failure
from forge.errors import InputError
from forge.services.git_command import Failed

NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
SCHEMES = ("http://", "https://", "ssh://", "git://", "file://")
SCP = re.compile(r"[\w.-]+@[\w.-]+:[^:]+")
ORIGIN = re.compile(r'\[remote "origin"\][^\[]*?\burl *= *(\S+)')


def address_of(template: str, repo: str) -> str:
    """The address of owner/name under a template; one without placeholders is a single repository.

    >>> address_of("https://github.com/{owner}/{repo}", "psf/requests")
    'https://github.com/psf/requests'
    """
    owner, _, name = repo.partition("/")
    if not (NAME.fullmatch(owner) and NAME.fullmatch(name)):
        raise Failed(Failure("data", "repository_name_invalid", f"not an owner/name: {repo!r}"))
    return checked(template.replace("{owner}", owner).replace("{repo}", name))


def checked(address: str) -> str:
    """The address as git may have it: a known scheme, or an existing folder as file://."""
    if address.startswith(SCHEMES) and address.isprintable():
        return address
    if SCP.fullmatch(address) and not address.startswith("-"):
        return address
    folder = Path(address).expanduser()
    if folder.is_dir():
        return f"file://{folder.resolve()}"
    raise InputError(
        f"no git repository at {address}\nname a folder, or an address such as "
        "https://github.com/owner/name"
    )


def repo_of(address: str) -> str:
    """Owner/name by an address; for a folder that of its origin, else local/<folder>.

    >>> repo_of("git@github.com:psf/requests.git")
    'psf/requests'
    """
    if address.startswith(SCHEMES[:-1]) or SCP.fullmatch(address):
        return _named(address)
    folder = Path(address.removeprefix("file://")).expanduser().resolve()
    origin = _origin(folder)
    if origin and (origin.startswith(SCHEMES[:-1]) or SCP.fullmatch(origin)):
        return _named(origin)
    return f"local/{_name(folder.parent.name if folder.name == '.git' else folder.name)}"


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
