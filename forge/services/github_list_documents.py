"""The GraphQL that GitHub is asked for lists of merges, page by page."""

from forge.services.github_documents import RECORDS, Document, fragment_text

MERGE = "Merge"


def by_searches(questions: list[str]) -> Document:
    """Pages of searches: a question is a cursor or nothing, a newline, and the words sought."""
    variables: dict[str, object] = {}
    heads, fields = [], []
    for n, question in enumerate(questions):
        after, _, variables[f"w{n}"] = question.partition("\n")
        variables[f"a{n}"] = after or None
        heads.append(f"$w{n}: String!, $a{n}: String")
        page = f"type: ISSUE, query: $w{n}, first: {RECORDS}, after: $a{n}"
        fields.append(f"  s{n}: search({page}) {{ issueCount {_listed('')} }}")
    return _document(heads, fields, variables, [(f"s{n}",) for n in range(len(questions))])


def by_walks(questions: list[str]) -> Document:
    """Pages of repositories' merges, latest touched first: a cursor or nothing, and owner/name."""
    variables: dict[str, object] = {}
    heads, fields = [], []
    for n, question in enumerate(questions):
        after, _, repo = question.partition("\n")
        variables[f"o{n}"], _, variables[f"n{n}"] = repo.partition("/")
        variables[f"a{n}"] = after or None
        heads.append(f"$o{n}: String!, $n{n}: String!, $a{n}: String")
        order = "orderBy: {field: UPDATED_AT, direction: DESC}"
        page = f"states: MERGED, {order}, first: {RECORDS}, after: $a{n}"
        listed = f"isPrivate pullRequests({page}) {{ {_listed('updatedAt ')} }}"
        fields.append(f"  w{n}: repository(owner: $o{n}, name: $n{n}) {{ {listed} }}")
    return _document(heads, fields, variables, [(f"w{n}",) for n in range(len(questions))])


def _listed(more: str) -> str:
    return f"pageInfo {{ hasNextPage endCursor }} nodes {{ {more}...{MERGE} }}"


def _document(
    heads: list[str],
    fields: list[str],
    variables: dict[str, object],
    places: list[tuple[str | int, ...]],
) -> Document:
    query = [f"query ({', '.join(heads)}) {{", *fields, "}", fragment_text(MERGE)]
    return Document("\n".join(query), variables, places)
