"""How tests ask the loopback GitHub by hand."""

from typing import Any

import httpx
from github_apart import Apart
from github_server import GitHub


def ask(github: GitHub | Apart, query: str, token: str = "", **variables: Any) -> httpx.Response:
    """What a query is answered, with the first token unless another is given."""
    return httpx.post(
        f"{github.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"bearer {token or github.token}"},
    )


def get(github: GitHub, path: str, **headers: str) -> httpx.Response:
    """What a path of REST is answered, with no redirect followed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(
        f"{github.url}{path}", headers={"authorization": f"token {github.token}"} | named
    )
