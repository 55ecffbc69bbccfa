"""What GH Archive says of pull requests and issues, in full payloads and in trimmed ones.

Which of the two a pull request has (full: 2015 to 2025) is judged by its fields: a merge is action
`closed` with `merged` true, or action `merged`. Issues come whole in both eras.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any

import dataframely as dy
import msgspec
from msgspec import Meta, Raw, Struct, field

from forge.columns import moment, text
from forge.rules.identity import is_repository

PULL_REQUESTS, ISSUES = "PullRequestEvent", "IssuesEvent"
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
REF = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,250}")  # what git takes for a branch, and wider

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Events(dy.Schema):
    """One row per event of a pull request, or of an issue where these are kept, of one hour."""

    hour = moment("the hour that was asked for")
    line = dy.Int64(description="number of the event's line in the hour, from 1")
    type = dy.String(
        regex=f"^({PULL_REQUESTS}|{ISSUES})$", description="PullRequestEvent or IssuesEvent"
    )
    event_id = dy.String(nullable=True, description="id of the event; not unique since 2025-10")
    created_at = moment("when it happened")
    action = dy.String(description="opened, closed, merged, labeled … as the archive says it")
    is_merge = dy.Bool(description="whether this event says that the pull request was merged")
    repository_id = dy.Int64(description="GitHub's id")
    repo = dy.String(description="owner/name as of the event")
    number = dy.Int64(description="number of the pull request or issue in its repository")
    pull_request_id = dy.Int64(nullable=True, description="GitHub's id of the pull request")
    actor = dy.String(nullable=True, description="who did it; of a merge the merger")
    author = dy.String(nullable=True, description="who opened it; null when trimmed")
    author_type = dy.String(nullable=True, description="User, Bot …; null when trimmed")
    merger = dy.String(nullable=True, description="who merged; null when trimmed")
    title = text("title; null when trimmed", nullable=True)
    body = text("description; null when trimmed, or empty", nullable=True)
    labels = dy.List(dy.String(), nullable=True, description="names, where the event lists them")
    is_draft = dy.Bool(nullable=True, description="whether it was a draft")
    opened_at = moment("when it was opened; null when trimmed", nullable=True)
    merged_at = moment("when it was merged; null when trimmed", nullable=True)
    merge_commit = dy.String(nullable=True, description="the merge commit; null when trimmed")
    head_sha = dy.String(nullable=True, description="last commit of the pull request")
    head_ref = dy.String(nullable=True, description="branch it came from")
    head_repository_id = dy.Int64(nullable=True, description="null when the fork was deleted")
    base_ref = dy.String(nullable=True, description="branch it went into")
    base_sha = dy.String(nullable=True, description="tip of that branch as recorded")
    commits = dy.Int64(nullable=True, description="number of commits; null when trimmed")
    additions = dy.Int64(nullable=True, description="lines added; null when trimmed")
    deletions = dy.Int64(nullable=True, description="lines removed; null when trimmed")
    changed_files = dy.Int64(nullable=True, description="files changed; null when trimmed")


class Account(Struct, gc=False):
    login: str | None = None
    type: str | None = None


class Repository(Struct, gc=False):
    id: Id
    name: str


class Fork(Struct, gc=False):
    id: Id | None = None


class Side(Struct, gc=False):
    ref: str | None = None
    sha: str | None = None
    repo: Fork | None = None


class Label(Struct, gc=False):
    name: str


class Subject(Struct, gc=False):
    """A pull request; an issue has fewer of its fields, and never its sides."""

    id: Id | None = None
    number: Id | None = None
    title: str | None = None
    body: str | None = None
    user: Account | None = None
    draft: bool | None = None
    labels: list[Label] | None = None
    created_at: datetime | None = None
    merged: bool | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    head: Side = field(default_factory=Side)
    base: Side = field(default_factory=Side)
    commits: Count | None = None
    additions: Count | None = None
    deletions: Count | None = None
    changed_files: Count | None = None


class Payload(Struct, gc=False):
    action: str
    pull_request: Subject | None = None
    issue: Subject | None = None
    number: Id | None = None
    labels: list[Label] | None = None


class Event(Struct, gc=False):
    type: str
    repo: Repository
    payload: Payload
    created_at: datetime
    id: str | int | None = None
    actor: Account | None = None


class Envelope(Struct, gc=False):
    type: str = ""
    id: Raw = Raw()
    actor: Raw = Raw()


_event = msgspec.json.Decoder(Event)
_envelope = msgspec.json.Decoder(Envelope)


class LineError(ValueError):
    """A line that names a type of event that is wanted, but does not say which event."""


def read_event(
    line: bytes | memoryview, *, types: Collection[str], hour: datetime, number: int
) -> tuple[Any, ...] | None:
    """A row of `Events`, or None where the line's event is of another type."""
    try:
        event = _event.decode(line)
        return _row(event, hour, number) if event.type in types else None
    except (msgspec.DecodeError, UnicodeError, OverflowError, RecursionError) as error:
        if _is_other(line, types):
            return None
        raise LineError(str(error)) from error


def is_timeline(line: bytes) -> bool:
    """Whether a line is of before 2015, when `actor` was a text and no event had an id.

    Raises LineError where the line does not tell.
    """
    try:
        envelope = _envelope.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise LineError(str(error)) from error
    has_id, is_name = bool(bytes(envelope.id)), bytes(envelope.actor).startswith(b'"')
    if not (has_id or is_name):
        raise LineError("neither an id nor an actor's name")
    return not has_id


def _is_other(line: bytes | memoryview, types: Collection[str]) -> bool:
    try:
        return _envelope.decode(line).type not in types
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def _row(event: Event, hour: datetime, line: int) -> tuple[Any, ...]:
    payload, repo = event.payload, event.repo
    is_issue = event.type == ISSUES
    subject = payload.issue if is_issue else payload.pull_request
    number = subject and (payload.number or subject.number)
    if subject is None or number is None or not is_repository(repo.name):
        raise LineError("no number, or no owner/name")
    return (
        hour,
        line,
        event.type,
        None if event.id is None else str(event.id),
        _utc(event.created_at),
        payload.action,
        not is_issue and _is_merge(payload.action, subject),
        repo.id,
        repo.name,
        number,
        None if is_issue else subject.id,
        event.actor and event.actor.login,
        *_facts(subject, payload.labels if subject.labels is None else subject.labels),
    )


def _is_merge(action: str, pull: Subject) -> bool:
    return action == "merged" or (action == "closed" and pull.merged is True)


def _facts(pull: Subject, labels: list[Label] | None) -> tuple[Any, ...]:
    return (
        pull.user and pull.user.login,
        pull.user and pull.user.type,
        pull.merged_by and pull.merged_by.login,
        pull.title,
        pull.body,
        None if labels is None else [label.name for label in labels],
        pull.draft,
        _utc(pull.created_at),
        _utc(pull.merged_at),
        _sha(pull.merge_commit_sha),
        _sha(pull.head.sha),
        _ref(pull.head.ref),
        pull.head.repo and pull.head.repo.id,
        _ref(pull.base.ref),
        _sha(pull.base.sha),
        pull.commits,
        pull.additions,
        pull.deletions,
        pull.changed_files,
    )


def _utc(at: datetime | None) -> datetime | None:
    # Arrow takes the zone away, four times as fast as `replace`.
    return at.astimezone(UTC) if at and at.tzinfo not in {None, UTC} else at


def _sha(text: str | None) -> str | None:
    # What is no hash must not reach git, and nobody can use it.
    return text if text and SHA.fullmatch(text) else None


def _ref(text: str | None) -> str | None:
    return text if text and REF.fullmatch(text) else None
