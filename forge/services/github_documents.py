"""The GraphQL that GitHub is asked, and the node ids that it is asked by.

What is wanted of one thing is a fragment in forge/github/; around it goes a call for many.
"""

import re
from base64 import urlsafe_b64encode
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

FOLDER = Path(__file__).parent.parent / "github"
IDS = 100
"""Node ids that one `nodes` field takes."""
RECORDS = 100
"""The longest page."""
CONNECTION = re.compile(r"\b(?:first|last):|\{ totalCount \}")
"""A list or its mere count: what GitHub's points are reckoned by."""
SPREAD = re.compile(r"\.\.\.(?!on\b)(\w+)")


class Document(NamedTuple):
    """A query with its variables, and where in the answer each question finds its own."""

    query: str
    variables: dict[str, object]
    places: list[tuple[str | int, ...]]
    points: int = 1
    """What it costs, by GitHub's published formula."""


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
    query = _query(heads, fields, fragment)
    return Document(query, dict(parts), [*places], _points(fragment, len(ids)))


def by_names(fragment: str, repos: list[str]) -> Document:
    """Repositories by owner/name, also by former names."""
    variables: dict[str, object] = {}
    fields = []
    for n, repo in enumerate(repos):
        variables[f"o{n}"], _, variables[f"n{n}"] = repo.partition("/")
        fields.append(f"  r{n}: repository(owner: $o{n}, name: $n{n}) {{ ...{fragment} }}")
    heads = ", ".join(f"${name}: String!" for name in variables)
    places: list[tuple[str | int, ...]] = [(f"r{n}",) for n in range(len(repos))]
    query = _query(heads, fields, fragment)
    return Document(query, variables, places, _points(fragment, len(repos)))


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
    query = _query(", ".join(heads), fields, fragment)
    return Document(query, variables, places, _points(fragment, len(names)))


class Page(NamedTuple):
    """A page of a list: what has it, by which field, the fragment, a node, and what comes before.

    Without a cursor it is the first one.
    """

    owner: str
    field: str
    fragment: str
    node: str
    cursor: str | None


def by_pages(pages: list[Page]) -> Document:
    """Pages of lists, of as many things as there are questions."""
    variables: dict[str, object] = {}
    heads, fields, places, connections = [], [], [], 0
    for n, page in enumerate(pages):
        variables |= {f"i{n}": page.node, f"c{n}": page.cursor}
        heads.append(f"$i{n}: ID!, $c{n}: String")
        asked = f"{page.field}(first: {RECORDS}, after: $c{n}) {{ ...{page.fragment} }}"
        fields.append(f"  g{n}: node(id: $i{n}) {{ ... on {page.owner} {{ {asked} }} }}")
        places.append((f"g{n}", page.field))
        connections += 1 + RECORDS * lists_of(page.fragment)
    query = _query(", ".join(heads), fields, *(page.fragment for page in pages))
    return Document(query, variables, [*places], points_of(connections))


class Discussed(NamedTuple):
    """A pull request and the issues that it closes, by their repository's node id or owner/name."""

    where: str
    number: int
    issues: list[int]


def by_discussions(discussed: list[Discussed]) -> Document:
    """Repositories with a pull request of theirs, and with what was said under its issues."""
    variables: dict[str, object] = {}
    heads, fields, connections = [], [], 0
    for n, (where, number, issues) in enumerate(discussed):
        asked = [f"pullRequest(number: {number}) {{ ...FirstCommit }}"]
        asked += [f"i{issue}: issue(number: {issue}) {{ ...Discussion }}" for issue in issues]
        wanted = f"... on Repository {{ databaseId {' '.join(asked)} }}"
        variables[f"o{n}"], _, repo = where.partition("/")
        if repo:
            variables[f"n{n}"] = repo
            heads.append(f"$o{n}: String!, $n{n}: String!")
            fields.append(f"  d{n}: repository(owner: $o{n}, name: $n{n}) {{ {wanted} }}")
        else:
            heads.append(f"$o{n}: ID!")
            fields.append(f"  d{n}: node(id: $o{n}) {{ {wanted} }}")
        connections += lists_of("FirstCommit") + len(issues) * lists_of("Discussion")
    places: list[tuple[str | int, ...]] = [(f"d{n}",) for n in range(len(discussed))]
    query = _query(", ".join(heads), fields, "FirstCommit", "Discussion")
    return Document(query, variables, places, points_of(connections))


def _points(fragment: str, things: int) -> int:
    return points_of(things * lists_of(fragment))


def lists_of(fragment: str) -> int:
    """How many lists, and mere counts of them, a fragment asks for."""
    return len(CONNECTION.findall(_texts(fragment)))


def points_of(connections: int) -> int:
    """GitHub's published formula: one for each hundred, halves up, and at least one."""
    return max(1, (connections + 50) // 100)


def _query(heads: str, fields: list[str], *fragments: str) -> str:
    return "\n".join([f"query ({heads}) {{", *fields, "}", _texts(*fragments)])


def _texts(*fragments: str) -> str:
    """Fragments and all that they spread, each once."""
    texts: dict[str, str] = {}
    missing = [*fragments]
    while missing:
        name = missing.pop(0)
        if name not in texts:
            texts[name] = fragment_text(name)
            missing += SPREAD.findall(texts[name])
    return "\n".join(texts.values())


@cache
def fragment_text(fragment: str) -> str:
    """What is asked of one thing."""
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in fragment).lstrip("_")
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
