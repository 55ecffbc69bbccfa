"""GitHub's search for code by REST: qualifiers, pages with links, a thousand files at most."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from github_replies import DOCS, Reply, said
from github_world import Knows, Repository, node_id

MOST = 1_000
PAGE = 100
Test = Callable[[Repository, str, int], bool]


def searched(path: str, world: Knows, url: str, told: Callable[[Repository], Any]) -> Reply:
    """One page of the files that a query finds, `told` being how their repositories are."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    size, page = min(int(asked.get("per_page", 30)), PAGE), int(asked.get("page", 1))
    tests = [_test(word) for word in asked.get("q", "").split()]
    if not tests or None in tests:
        return _invalid("Validation Failed")
    if (page - 1) * size >= MOST:
        return _invalid("Only the first 1000 search results are available")
    files = [one for one in _files(world) if all(test(*one) for test in tests if test)]
    shown = files[: min(len(files), MOST)][(page - 1) * size : page * size]
    body = {
        "total_count": len(files),
        "incomplete_results": False,
        "items": [_item(repository, file, told) for repository, file, _ in shown],
    }
    last = -(-min(len(files), MOST) // size)
    links = {"next": page + 1, "last": last} if page < last else {}
    named = [f'<{_at(url, path, asked, n)}>; rel="{name}"' for name, n in links.items()]
    return said(200, body, link=", ".join(named)) if named else said(200, body)


def incomplete(total: int = 0) -> Reply:
    """What GitHub says of a search that took it too long."""
    return said(200, {"total_count": total, "incomplete_results": True, "items": []})


def _at(url: str, path: str, asked: dict[str, str], page: int) -> str:
    return f"{url}{urlsplit(path).path}?{urlencode(asked | {'page': page})}"


def _invalid(message: str) -> Reply:
    told = {"message": message, "errors": [{"resource": "Search", "field": "q", "code": "invalid"}]}
    return said(422, told | {"documentation_url": f"{DOCS}/v3/search/"})


def _files(world: Knows) -> Iterator[tuple[Repository, str, int]]:
    for repository in getattr(world, "repositories", ()):
        if repository.fate == "there" and not repository.fork_of:
            yield from ((repository, path, size) for path, size in repository.code)


def _test(word: str) -> Test | None:
    """What a qualifier asks of a file; None where the loopback does not know it."""
    name, _, value = word.partition(":")
    if name == "filename":
        return lambda _, path, _size: path.rpartition("/")[2] == value
    if name == "path":
        return lambda _, path, _size: path.startswith(value)
    if name == "repo":
        return lambda repository, *_: repository.name_with_owner.lower() == value.lower()
    if name == "size":
        least, most = _bounds(value)
        return lambda _, _path, size: least <= size <= most
    return None


def _bounds(value: str) -> tuple[float, float]:
    """The bytes that `10..20`, `>=10`, `>9`, `<=20`, `<21` or `10` allow."""
    if ".." in value:
        least, _, most = value.partition("..")
        return float(least.replace("*", "0")), float(most.replace("*", "inf"))
    for sign, (least, most) in {
        ">=": (0, float("inf")),
        ">": (1, float("inf")),
        "<=": (float("-inf"), 0),
        "<": (float("-inf"), -1),
    }.items():
        if value.startswith(sign):
            bound = float(value.removeprefix(sign))
            return bound + least, bound + most
    return float(value), float(value)


def _item(repository: Repository, path: str, told: Callable[[Repository], Any]) -> dict[str, Any]:
    site = f"https://github.com/{repository.name_with_owner}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": node_id("Repository", repository.id)[-8:].encode().hex(),
        "html_url": f"{site}/blob/HEAD/{path}",
        "repository": told(repository),
        "score": 1.0,
    }
