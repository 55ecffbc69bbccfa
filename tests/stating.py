"""Statements of made-up pull requests, one for each row that is given."""

from datetime import datetime

import polars as pl

from forge.columns import dtypes
from forge.stages.issues import Issues
from forge.stages.merges import Merges
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests
from forge.stages.statements import Limits, statements

FIX, HEAD = "3e195a09" * 5, "0badcafe" * 5
CHANGE = {"repo": "ann/slug.py", "merge_commit": FIX}
GOLD = """diff --git a/slug.py b/slug.py
--- a/slug.py
+++ b/slug.py
@@ -1,2 +1,3 @@
 def slug(words):
-    return "-".join(words)
+    return   separator.join(words)
+    x = 1
"""


def decided(  # noqa: PLR0913 - one for each input of the stage
    *rows, per_repository=None, gold=GOLD, test=None, merge=None, limits=None, issues=()
):
    """The rows with their fates; issues are the first pull request's."""
    keys = [{"repository_id": 1, "number": n} for n in range(1, len(rows) + 1)]
    at = {"merged_at": datetime(2026, 3, 2), "merge_method": "squash"}
    said = [key | at | row for key, row in zip(keys, rows, strict=True)]
    known = [key | {"source": "archive"} | (merge or {}) for key in keys]
    lf = statements.function(
        pl.LazyFrame(
            [key | {"gold_patch": gold, "test_patch": test} for key in keys],
            schema=dtypes(Patches),
        ),
        pl.LazyFrame(said, schema=dtypes(PullRequests)),
        pl.LazyFrame(known, schema=dtypes(Merges)),
        pl.LazyFrame([keys[0] | issue for issue in issues], schema=dtypes(Issues)),
        limits=limits or Limits(),
        per_repository=per_repository,
    )
    return lf.sort("number").collect()
