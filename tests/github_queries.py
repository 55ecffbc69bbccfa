"""Queries as the loopback GitHub reads, prices and executes them."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from github_answers import resolve, type_of
from github_costs import Cost, cost_of
from github_paging import Asking
from github_replies import DOCS, Reply, said
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

UNDEFINED = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")


class Query(NamedTuple):
    """What a client sent: a document and its variables."""

    text: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 - an empty one that nobody writes to


class Read(NamedTuple):
    """A document, or why it is none of this schema."""

    document: DocumentNode
    errors: list[GraphQLError]


@dataclass
class Schema:
    """The published schema with the documents read by it so far."""

    published: GraphQLSchema
    _read: dict[str, Read] = field(default_factory=dict)

    def read(self, text: str) -> Read:
        """A document, parsed and validated once."""
        if text not in self._read:
            try:
                document = parse(text)
                self._read[text] = Read(document, validate(self.published, document))
            except GraphQLSyntaxError as error:
                self._read[text] = Read(DocumentNode(), [error])
        return self._read[text]

    def errors(self, query: Query) -> list[GraphQLError]:
        """Why a query cannot be executed, if it cannot."""
        document, errors = self.read(query.text)
        if errors:
            return errors
        operation = get_operation_ast(document)
        known = operation.variable_definitions or ()
        values = get_variable_values(self.published, known, query.variables)
        return values if isinstance(values, list) else []

    def cost(self, query: Query) -> Cost:
        """What a valid query costs, whatever it finds."""
        return cost_of(self.published, self.read(query.text).document, query.variables)

    def execute(self, query: Query, asking: Asking) -> ExecutionResult:
        """What a valid query finds."""
        return execute_sync(
            self.published,
            self.read(query.text).document,
            context_value=asking,
            variable_values=query.variables,
            field_resolver=resolve,
            type_resolver=type_of,
        )


def sent(body: bytes) -> Query | Reply:
    """The query in a request's body."""
    url = f"{DOCS}/graphql"
    try:
        told = json.loads(body)
    except ValueError:
        return said(400, {"message": "Problems parsing JSON", "documentation_url": url}, "invalid")
    if not isinstance(told, dict) or not isinstance(told.get("query"), str):
        message = "A query attribute must be specified and must be a string."
        return said(200, {"errors": [{"message": message}]}, "invalid")
    return Query(told["query"], told.get("variables") or {})


def failures(found: ExecutionResult) -> list[str]:
    """Errors of the loopback itself, which no test may take for GitHub's."""
    own = (error.original_error for error in found.errors or ())
    return [repr(one) for one in own if one and not isinstance(one, GraphQLError)]


def formatted(error: GraphQLError) -> dict[str, Any]:
    """An error as GitHub writes it: the type on top, the words its own where they are known."""
    places = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    known = dict(error.extensions or {})
    kind = {"type": known.pop("type")} if "type" in known else {}
    path = {"path": error.path} if error.path else {}
    if undefined := UNDEFINED.match(error.message):
        name, owner = undefined.groups()
        known |= {"code": "undefinedField", "typeName": owner, "fieldName": name}
        message = f"Field '{name}' doesn't exist on type '{owner}'"
    else:
        message = error.message
    more = {"extensions": known.pop("extensions", known)} if known else {}
    return {**kind, **path, **more, "locations": places, "message": message}


def too_many_nodes(nodes: int, most: int) -> Reply:
    """The refusal of a query that could touch too much."""
    message = f"This query requests up to {nodes:,} possible nodes which exceeds the maximum limit"
    error = {"type": "MAX_NODE_LIMIT_EXCEEDED", "message": f"{message} of {most:,}."}
    return said(200, {"errors": [error]}, "nodes")
