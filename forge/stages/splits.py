"""Train or eval, by family of forks, so that a repository never moves."""

import dataframely as dy
from pydantic import Field

from forge.columns import PullRequestKey
from forge.run import Run
from forge.stage import StageLimits, stage
from forge.stages.tasks import Tasks


class Splits(PullRequestKey):
    """One row per task."""

    split = dy.Enum(["train", "eval"], description="which side its family of forks is on")
    fork_root_id = dy.Int64(description="the family of forks that it belongs to")


class Limits(StageLimits):
    """How families are parted."""

    eval_percent: float = Field(
        10, ge=0, le=100, description="share of families in eval, in percent; a larger one nests"
    )
    salt: str = Field("forge", description="another salt is another split")


@stage
def splits(tasks: dy.LazyFrame[Tasks], *, limits: Limits, run: Run) -> dy.LazyFrame[Splits]:  # noqa: ARG001 - SQL reads them
    rows = run.sql("splits", salt=limits.salt, eval_percent=limits.eval_percent)
    return rows.pipe(Splits.cast)
