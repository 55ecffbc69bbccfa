"""The GraphQL that GitHub is asked, and the node ids that it is asked by.

What is wanted of one thing is a fragment in forge/github/; around it goes a call for many.
"""

from base64 import urlsafe_b64encode
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

FOLDER = Path(__file__).parent.parent / "github"
IDS = 100
"""Node ids that one `nodes` field takes."""


class Document(NamedTuple):
    """A query with its variables, and where in the answer each question finds its own."""

    query: str
    variables: dict[str, object]
    places: list[tuple[str | int, ...]]


def repository_node(repository_id: int) -> str:
    """GitHub's node id of a repository.

    >>> repository_node(1296269)
    'R_kgDOABPHjQ'
    """
    return "R_" + _packed(0, repository_id)


def pull_request_node(repository_id: int, pull_request_id: int) -> str:
    """GitHub's node id of a pull request.

    >>> pull_request_node(4542716, 500)
    'PR_kwDOAEVQ_M0B9A'
    """
    return "PR_" + _packed(0, repository_id, pull_request_id)


def _packed(*numbers: int) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(numbers)).decode().rstrip("=")


def by_nodes(fragment: str, ids: list[str]) -> Document:
    """Things by their node ids, as many aliased fields as they need."""
    parts = {f"n{at // IDS}": ids[at : at + IDS] for at in range(0, len(ids), IDS)}
    heads = ", ".join(f"${name}: [ID!]!" for name in parts)
    fields = [f"  {name}: nodes(ids: ${name}) {{ ...{fragment} }}" for name in parts]
    places = [(f"n{at // IDS}", at % IDS) for at in range(len(ids))]
    return Document(_query(heads, fields, fragment), dict(parts), [*places])


def by_names(fragment: str, repos: list[str]) -> Document:
    """Repositories by owner/name, also by former names."""
    variables: dict[str, object] = {}
    fields = []
    for n, repo in enumerate(repos):
        variables[f"o{n}"], _, variables[f"n{n}"] = repo.partition("/")
        fields.append(f"  r{n}: repository(owner: $o{n}, name: $n{n}) {{ ...{fragment} }}")
    heads = ", ".join(f"${name}: String!" for name in variables)
    return Document(
        _query(heads, fields, fragment), variables, [(f"r{n}",) for n in range(len(repos))]
    )


def by_numbers(fragment: str, names: list[str]) -> Document:
    """Pull requests by owner/name#number, also by former names of their repositories."""
    variables: dict[str, object] = {}
    heads, fields = [], []
    for n, name in enumerate(names):
        repo, _, number = name.partition("#")
        variables[f"o{n}"], _, variables[f"n{n}"] = repo.partition("/")
        variables[f"k{n}"] = int(number)
        heads.append(f"$o{n}: String!, $n{n}: String!, $k{n}: Int!")
        asked = f"pullRequest(number: $k{n}) {{ ...{fragment} }}"
        fields.append(f"  p{n}: repository(owner: $o{n}, name: $n{n}) {{ {asked} }}")
    places: list[tuple[str | int, ...]] = [(f"p{n}", "pullRequest") for n in range(len(names))]
    return Document(_query(", ".join(heads), fields, fragment), variables, places)


def _query(heads: str, fields: list[str], fragment: str) -> str:
    return "\n".join([f"query ({heads}) {{", *fields, "}", fragment_text(fragment)])


@cache
def fragment_text(fragment: str) -> str:
    """What is asked of one thing."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in fragment).lstrip("_")
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
