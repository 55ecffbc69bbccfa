import polars as pl

from forge.artifacts import Artifacts
from forge.unlisted import unlisted


def test_subtests_of_a_listed_test_are_listed_and_others_of_its_file_are_not(tmp_path):
    artifacts = Artifacts(tmp_path)
    listed = artifacts.put(b"doc::TestA\ntests/b.py::test_c[a/b]\n")
    ids = ["doc::TestA/one/two", "doc::TestB/one", "tests/b.py::test_c[a/c]", "other::TestC"]
    rows = pl.LazyFrame({"tests": [[{"id": name} for name in ids]], "listed": [listed]})
    assert rows.select(unlisted(artifacts)).collect().item() == 2
