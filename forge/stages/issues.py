"""Issues that pull requests say to close, in the earliest words to be had."""

import dataframely as dy
import polars as pl

from forge.columns import KEY, PullRequestKey, moment, text
from forge.rules.bots import IS_BOT
from forge.run import Run
from forge.stage import stage
from forge.stages.hours import Hours
from forge.stages.pull_requests import PullRequests


class Issues(PullRequestKey):
    """One row per issue that a pull request says to close, where an event or GitHub tells of it."""

    issue = dy.Int64(metadata=KEY, description="number of the issue, in the same repository")
    title = dy.String(description="title")
    body = text("description", nullable=True)
    author = dy.String(nullable=True, description="who opened it")
    author_type = dy.String(nullable=True, description="User, Bot …")
    is_bot = dy.Bool(nullable=True, description="whether a machine wrote it")
    labels = dy.List(
        dy.String(),
        nullable=True,
        description="names of its labels at the time; GitHub is not asked for them",
    )
    opened_at = moment("when it was opened, UTC", nullable=True)
    edited_at = moment(
        "when its description was last edited, UTC; null where it never was, and in the archive's "
        "events, which do not say; GitHub does not tell it of titles",
        nullable=True,
    )
    told_at = moment(
        "when the event happened that has these words, UTC; null of GitHub's, which are those of "
        "whenever it was asked",
        nullable=True,
    )
    source = dy.String(
        regex="^(archive|github)$",
        description="where the words come from: an event of the archive, else GitHub",
    )


@stage
def issues(
    pull_requests: dy.LazyFrame[PullRequests],  # noqa: ARG001 - SQL reads them
    hours: dy.LazyFrame[Hours],  # noqa: ARG001 - SQL reads their events
    *,
    run: Run,
) -> dy.LazyFrame[Issues]:
    told = run.sql("issues").with_columns(head_ref=pl.lit(None, pl.String))
    return told.with_columns(is_bot=IS_BOT).pipe(Issues.cast)
