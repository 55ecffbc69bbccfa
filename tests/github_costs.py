"""What a query costs by GitHub's published formula, from its text and not from its answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from github_paging import lists
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)


class Cost(NamedTuple):
    """Points, and the most nodes that an answer could hold."""

    points: int
    nodes: int


class Share(NamedTuple):
    """What one connection asks for: how often, and how many nodes in all."""

    requests: int
    nodes: int


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> Cost:
    """One point for each hundred requests for connections, rounded, and at least one."""
    (operation,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    walk = Walk(schema, _fragments(document), _values(operation, variables))
    shares = list(walk.shares(operation.selection_set, schema.query_type, 1))
    requests, nodes = (sum(share[place] for share in shares) for place in (0, 1))
    # Halves go up: Python's own rounding would take 250 requests for 2 points.
    return Cost(max(1, (requests + 50) // 100), nodes)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    found = (d for d in document.definitions if isinstance(d, FragmentDefinitionNode))
    return {fragment.name.value: fragment for fragment in found}


def _values(operation: OperationDefinitionNode, variables: dict[str, Any]) -> dict[str, Any]:
    defaults = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value
    }
    return defaults | variables


@dataclass(frozen=True)
class Walk:
    """A walk through what a query selects."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    values: dict[str, Any]

    def shares(self, chosen: SelectionSetNode | None, kind: Any, times: int) -> Iterator[Share]:
        """What all connections below a selection ask for, where it is answered so many times."""
        for one in chosen.selections if chosen else ():
            if isinstance(one, FieldNode):
                yield from self._field(one, kind, times)
            elif isinstance(one, FragmentSpreadNode):
                fragment = self.fragments[one.name.value]
                kind_there = self.schema.type_map[fragment.type_condition.name.value]
                yield from self.shares(fragment.selection_set, kind_there, times)
            else:
                named = one.type_condition
                kind_there = self.schema.type_map[named.name.value] if named else kind
                yield from self.shares(one.selection_set, kind_there, times)

    def _field(self, one: FieldNode, kind: Any, times: int) -> Iterator[Share]:
        known = getattr(kind, "fields", {}).get(one.name.value)
        if known is None or one.selection_set is None:
            return
        below = get_named_type(known.type)
        given = {arg.name.value: self._value(arg.value) for arg in one.arguments or ()}
        if isinstance(below, GraphQLObjectType) and below.name.endswith("Connection"):
            records = given.get("first") or given.get("last") or 0
            yield Share(times, times * records)
            times *= records if lists(one) else 0
        elif one.name.value == "nodes" and "ids" in given:
            yield Share(0, len(given["ids"]))
            times *= len(given["ids"])
        yield from self.shares(one.selection_set, below, times)

    def _value(self, node: Any) -> Any:
        return value_from_ast_untyped(node, self.values)
