import json
import subprocess

import pytest
from handmade import make
from stock_swebench import environment as stock_environment
from stock_swebench import resolved

from forge.exporters.swebench import export
from forge.stages.tasks import Tasks

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


LOAD = """
import json, sys
from swebench.harness.log_parsers import PARSER_REGISTRY
from swebench.harness.utils import load_swebench_dataset, make_test_spec
specs = [make_test_spec(row) for row in load_swebench_dataset(sys.argv[1])]
print(json.dumps([[s.instance_id, s.FAIL_TO_PASS, s.log_parser in PARSER_REGISTRY] for s in specs]))
"""


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_every_column_of_the_tasks_table_is_loaded(swebench, tmp_path, suffix):
    told = {
        "instance_id": ["a__b-1", "a__b-2"],
        "fail_to_pass": [["x"], ["y", "z"]],
        "pass_to_pass": [[], ["w"]],
        "log_parser": ["parse_log_gotest"] * 2,
    }
    exported = tmp_path / f"tasks.{suffix}"
    export(Tasks.sample(overrides=told).lazy(), exported)
    done = subprocess.run(
        [swebench / "python", "-c", LOAD, exported],
        env=stock_environment(tmp_path),
        check=True,
        capture_output=True,
    )
    assert json.loads(done.stdout) == [["a__b-1", ["x"], True], ["a__b-2", ["y", "z"], True]]
