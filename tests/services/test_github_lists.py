"""What GitHub is asked for lists of merges, by its published schema and its prices."""

import pytest
from github_costs import cost_of
from github_server import published_schema
from graphql import parse

from forge.services import github_walks
from forge.services.github_list_documents import by_searches, by_walks


@pytest.mark.parametrize(
    ("document", "points", "nodes"),
    [
        (by_searches(["\nis:pr"]), 1, 100),
        (by_searches(["Y3Vyc29y\nis:pr"]), 1, 100),
        (by_walks(["\nann/tool"] * github_walks.AT_ONCE), 1, 500),
    ],
)
def test_lists_of_merges_are_of_the_published_schema_and_cost_a_point(document, points, nodes):
    schema = published_schema()
    assert schema.read(document.query).errors == []
    cost = cost_of(schema.published, parse(document.query), document.variables)
    assert (cost.points, cost.nodes) == (points, nodes)
    assert document.points == points


def test_words_and_names_of_users_go_as_variables_alone():
    words, repo = '" }) { evil } #', "ann/`tool`"
    searched, walked = by_searches([f"\n{words}"]), by_walks([f"\n{repo}"])
    assert searched.variables == {"w0": words, "a0": None}
    assert walked.variables == {"o0": "ann", "n0": "`tool`", "a0": None}
    assert "evil" not in searched.query
    assert "`tool`" not in walked.query
