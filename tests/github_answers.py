"""How the loopback GitHub answers each field of the published schema out of its world."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from github_lists import LISTS
from github_paging import Resolver, connection, or_error, refusal
from github_replies import something_went_wrong
from github_world import (
    Actor,
    Commit,
    Issue,
    Knows,
    PullRequest,
    Repository,
    node_id,
    old_node_id,
)
from graphql import GraphQLError, GraphQLResolveInfo

SITE = "https://github.com"
MOST_IDS = 100


class Named(NamedTuple):
    """Anything that GitHub tells by its name alone: a language, a topic, a branch."""

    name: str
    size: int = 0


def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """What a field of anything is: by the table below, or the attribute of its name."""
    known = FIELDS.get((info.parent_type.name, info.field_name))
    if known:
        return known(source, info, arguments)
    if isinstance(source, dict):
        return source[info.field_name]
    name = _snake(info.field_name)
    if not hasattr(source, name):
        info.context.unknown.append(f"{info.parent_type.name}.{info.field_name}")
        return None
    return getattr(source, name)


def type_of(value: Any, *_: Any) -> str:
    """The schema's name of what implements an interface."""
    return getattr(value, "kind", None) or type(value).__name__


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda upper: f"_{upper[0]}", name).lower()


# Nodes and the names that lead to them


def _nodes(_: Any, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Iterator[Any]:
    ids = arguments["ids"]
    if len(ids) > MOST_IDS:
        message = f"You may not provide more than {MOST_IDS} node ids; you provided {len(ids)}."
        raise refusal("ARGUMENT_LIMIT", message)
    return (or_error(_node, None, info, {"id": one}) for one in ids)


def _node(_: Any, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Any:
    asking, wanted = info.context, arguments["id"]
    if asking.passing.get(wanted):
        asking.passing[wanted] -= 1
        raise GraphQLError(something_went_wrong())
    found = asking.world.node(wanted)
    message = f"Could not resolve to a node with the global id of '{wanted}'"
    return _visible(asking.touch(found), message)


def _repository(_: Any, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Any:
    name = f"{arguments['owner']}/{arguments['name']}"
    found = info.context.world.named(name)
    if found and not arguments["followRenames"] and name.lower() != found.name_with_owner.lower():
        found = None
    return _visible(
        info.context.touch(found), f"Could not resolve to a Repository with the name '{name}'."
    )


def _numbered(what: str, find: Callable[[Knows, Repository, int], Any]) -> Resolver:
    def numbered(repository: Repository, info: GraphQLResolveInfo, told: dict[str, Any]) -> Any:
        found = find(info.context.world, repository, told["number"])
        message = f"Could not resolve to {what} with the number of {told['number']}."
        return _visible(info.context.touch(found), message)

    return numbered


def _visible(found: Any, message: str) -> Any:
    repository = found.repository if isinstance(found, PullRequest | Issue) else found
    if repository and repository.fate == "protected":
        protected = "Resource protected by organization SAML enforcement. You must grant your "
        text = protected + "Personal Access token access to this organization."
        raise refusal("FORBIDDEN", text, extensions={"saml_failure": True})
    if not repository or repository.fate != "there" or getattr(found, "is_deleted", False):
        raise refusal("NOT_FOUND", message)
    return found


def _parent(repository: Repository, info: GraphQLResolveInfo, _: Any) -> Repository | None:
    # A fork outlives what it was forked from, and then has no parent.
    parent = info.context.world.named(repository.fork_of) if repository.fork_of else None
    return parent if parent and parent.fate == "there" else None


# What the world says otherwise than the schema does


class Licence(NamedTuple):
    """A licence as GitHub tells of it."""

    spdx_id: str
    key: str
    name: str


def _id(one: Any, *_: Any) -> str:
    if isinstance(one, PullRequest) and one.node_id:
        return one.node_id
    if isinstance(one, Repository) and one.has_old_id:
        return old_node_id("Repository", one.id)
    within = (one.repository.id,) if isinstance(one, PullRequest | Issue) else ()
    return node_id(type_of(one), *within, one.id)


def _url(one: Any, *_: Any) -> str:
    if isinstance(one, Actor):
        return f"{SITE}/{'apps/' * (one.kind == 'Bot')}{one.login}"
    if isinstance(one, Repository):
        return f"{SITE}/{one.name_with_owner}"
    folder = "pull" if isinstance(one, PullRequest) else "issues"
    return f"{_url(one.repository)}/{folder}/{one.number}"


def _owner(repository: Repository, *_: Any) -> Actor:
    return Actor(repository.name_with_owner.partition("/")[0], repository.owner_kind)


def _licence(repository: Repository, *_: Any) -> Licence | None:
    # GitHub calls a licence that it sees but does not know "Other".
    if repository.licence in {None, "NOASSERTION"}:
        return repository.licence and Licence("NOASSERTION", "other", "Other")
    return Licence(repository.licence, repository.licence.lower(), repository.licence)


def _languages(repository: Repository, *_: Any) -> list[Named]:
    named = [Named(*one) for one in repository.languages]
    return sorted(named, key=lambda one: one.size, reverse=True)


def _branch(repository: Repository, *_: Any) -> Named | None:
    return Named(repository.default_branch) if repository.default_branch else None


def _closes(pull: PullRequest, info: GraphQLResolveInfo) -> list[Issue]:
    # What a token may not see is left out of the list, and nothing said.
    homes = [info.context.world.named(one.of) if one.of else pull.repository for one in pull.closes]
    pairs = zip(pull.closes, homes, strict=True)
    return [replace(one, repository=home) for one, home in pairs if home and home.fate == "there"]


def _state(pull: PullRequest, *_: Any) -> str:
    if pull.merged_at:
        return "MERGED"
    return "CLOSED" if pull.closed_at else "OPEN"


def _listed(name: str) -> Resolver:
    return connection(lambda one, _: getattr(one, name))


def _said(name: str) -> Resolver:
    return lambda one, *_: getattr(one, name)


FIELDS: dict[tuple[str, str], Resolver] = LISTS | {
    ("Query", "nodes"): _nodes,
    ("Query", "node"): _node,
    ("Query", "repository"): _repository,
    ("Query", "rateLimit"): lambda _, info, _arguments: info.context.rate_limit,
    ("Repository", "name"): lambda one, *_: one.name_with_owner.partition("/")[2],
    ("Repository", "owner"): _owner,
    ("Repository", "pullRequest"): _numbered("a PullRequest", lambda w, *one: w.numbered(*one)),
    ("Repository", "issue"): _numbered("an Issue", lambda w, *one: w.issue(*one)),
    ("Repository", "parent"): _parent,
    ("Repository", "isFork"): lambda one, *_: bool(one.fork_of),
    ("Repository", "isPrivate"): lambda *_: False,
    ("Repository", "isInOrganization"): lambda one, *_: one.owner_kind == "Organization",
    ("Repository", "stargazerCount"): _said("stars"),
    ("Repository", "forkCount"): _said("forks"),
    ("Repository", "licenseInfo"): _licence,
    ("Repository", "primaryLanguage"): lambda one, *_: next(iter(_languages(one)), None),
    ("Repository", "languages"): connection(_languages),
    ("Repository", "defaultBranchRef"): _branch,
    ("Repository", "repositoryTopics"): connection(lambda one, _: map(Named, one.topics)),
    ("RepositoryTopic", "topic"): lambda one, *_: one,
    ("Ref", "prefix"): lambda *_: "refs/heads/",
    ("LanguageEdge", "size"): lambda one, *_: one.node.size,
    ("PullRequest", "files"): _listed("files"),
    ("PullRequest", "labels"): _listed("labels"),
    ("PullRequest", "comments"): _listed("comments"),
    ("PullRequest", "commits"): _listed("commits"),
    ("PullRequest", "closingIssuesReferences"): connection(_closes),
    ("PullRequest", "state"): _state,
    ("PullRequest", "merged"): lambda one, *_: bool(one.merged_at),
    ("PullRequest", "mergeCommit"): lambda one, *_: one.merge_commit and Commit(one.merge_commit),
    ("PullRequest", "additions"): lambda one, *_: sum(file.additions for file in one.files),
    ("PullRequest", "deletions"): lambda one, *_: sum(file.deletions for file in one.files),
    ("PullRequest", "changedFiles"): lambda one, *_: (
        len(one.files) if one.changed_files is None else one.changed_files
    ),
    ("PullRequestCommit", "commit"): lambda one, *_: one,
    ("Commit", "messageHeadline"): lambda one, *_: one.message.partition("\n")[0],
    ("Issue", "labels"): _listed("labels"),
    ("Issue", "comments"): _listed("comments"),
    ("Issue", "state"): lambda one, *_: "CLOSED" if one.closed_at else "OPEN",
} | {
    (kind, name): resolver
    for kind in ("Repository", "PullRequest", "Issue", "IssueComment", "User", "Bot", "Mannequin",
                 "Organization")
    for name, resolver in {
        "id": _id,
        "url": _url,
        "databaseId": _said("id"),
        "fullDatabaseId": lambda one, *_: str(one.id),
    }.items()
}  # fmt: skip
