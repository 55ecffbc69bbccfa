"""The commits of a pull request and of its merge, worded as GitHub and bors word them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from forge.demo.stream import GITHUB, Stamp, Text, person
from forge.demo.world import Change, PullRequest, Repository


class Landing(NamedTuple):
    """A commit to make: what it changes, and what it says."""

    changes: tuple[Change, ...]
    text: Text


def branch_commits(pull_request: PullRequest) -> Iterator[Landing]:
    """The commits of its head branch, ten minutes apart, the last just before it was opened."""
    commits = pull_request.commits
    for remaining, commit in zip(range(len(commits), 0, -1), commits, strict=True):
        at = pull_request.opened - timedelta(minutes=10 * remaining)
        stamp = Stamp(person(commit.author or pull_request.author), at)
        yield Landing(commit.changes, Text(commit.message, stamp, stamp))


def merge_commits(repository: Repository, pull_request: PullRequest) -> list[Landing]:
    """The commits that the merge adds to the branch; none where it left no trace."""
    at = pull_request.merged
    if at is None or pull_request.how in {"lost", "closed"}:
        return []
    merger = Stamp(person(pull_request.merged_by), at)
    if pull_request.how == "rebase":
        return [
            Landing(changes, text._replace(committer=merger))
            for changes, text in branch_commits(pull_request)
        ]
    changes = tuple(change for commit in pull_request.commits for change in commit.changes)
    if pull_request.how == "squash":
        author = Stamp(person(pull_request.author), at)
        return [Landing(changes, Text(_squashed(pull_request), author, Stamp(GITHUB, at)))]
    message = (
        _bors(pull_request) if pull_request.how == "bors" else _merged(repository, pull_request)
    )
    return [Landing(changes, Text(message, merger, Stamp(GITHUB, at)))]


def head_owner(repository: Repository, pull_request: PullRequest) -> str:
    """Whose repository the head branch is in."""
    return pull_request.head_owner or repository.repo.split("/")[0]


def _merged(repository: Repository, pull_request: PullRequest) -> str:
    branch = f"{head_owner(repository, pull_request)}/{pull_request.head}"
    return f"Merge pull request #{pull_request.number} from {branch}\n\n{pull_request.title}"


def _squashed(pull_request: PullRequest) -> str:
    subject = f"{pull_request.title} (#{pull_request.number})"
    others = sorted({c.author for c in pull_request.commits if c.author} - {pull_request.author})
    trailers = "\n".join(f"Co-authored-by: {person(login)}" for login in others)
    parts = [subject, pull_request.body.strip(), f"---------\n\n{trailers}" if trailers else ""]
    return "\n\n".join(filter(None, parts))


def _bors(pull_request: PullRequest) -> str:
    number, author = pull_request.number, pull_request.author
    subject = f"{number}: {pull_request.title} r=tomas-lind a={author}"
    credit = f"Co-authored-by: {person(author)}"
    return "\n\n".join([f"Merge #{number}", subject, pull_request.body.strip(), credit])
