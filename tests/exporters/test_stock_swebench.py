import pytest
from handmade import make
from stock_swebench import resolved

from forge.exporters.swebench import export

NOTHING_DONE = """diff --git a/NOTES.md b/NOTES.md
new file mode 100644
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+looked at it
"""
PRINT_AND_EXIT = """diff --git a/conftest.py b/conftest.py
new file mode 100644
--- /dev/null
+++ b/conftest.py
@@ -0,0 +1,5 @@
+import os
+ids = {ids!a}
+for name in ids:
+    os.write(1, f"\\n--- PASS: {{name}} (0.00s)\\n".encode())
+os._exit(0)
"""


@pytest.fixture(scope="module")
def tasks(docker_engine, tmp_path_factory):
    return make(tmp_path_factory.mktemp("handmade") / "shouting", docker_engine)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_gold_patches_are_resolved_under_awkward_ids(tasks, swebench, tmp_path, suffix):
    assert export(tasks, tmp_path / f"tasks.{suffix}") == 9
    found = resolved(swebench, tmp_path / f"tasks.{suffix}")
    assert found == {f"grace__shouting-{number}": True for number in range(1, 10)}


def test_nothing_done_is_not_resolved(tasks, swebench, tmp_path):
    export(tasks, tmp_path / "tasks.parquet")
    patches = {f"grace__shouting-{number}": NOTHING_DONE for number in range(1, 10)}
    found = resolved(swebench, tmp_path / "tasks.parquet", patches)
    assert found == dict.fromkeys(patches, False)


def test_printing_the_results_and_exiting_is_not_resolved(tasks, swebench, tmp_path):
    export(tasks, tmp_path / "tasks.parquet")
    patches = {
        row["instance_id"]: PRINT_AND_EXIT.format(ids=row["fail_to_pass"] + row["pass_to_pass"])
        for row in tasks.collect().to_dicts()
    }
    found = resolved(swebench, tmp_path / "tasks.parquet", patches)
    assert found == dict.fromkeys(patches, False)
