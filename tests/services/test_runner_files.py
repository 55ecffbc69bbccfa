import asyncio
import base64
import io
import tarfile
from pathlib import Path

from histories import Repository

from forge.languages.python import PYTHON
from forge.services.git import Git, Pair, Patches

BEFORE = {
    "a.py": "one\n",
    "tests/test_a.py": "one\n",
    "setup.cfg": "[a]\n",
    "pytest.ini": "[pytest]\n",
}
AFTER = {
    "a.py": "two\n",
    "tests/test_a.py": "two\n",
    "setup.cfg": "[b]\n",
    "pytest.ini": None,
    "sitecustomize.py": "pass\n",
}


def cut(folder: Path) -> Patches:
    repository = Repository(folder / "served/ann/fix")
    repository.write(BEFORE)
    base = repository.commit("Before")
    repository.write(AFTER)
    git = Git(repository.template, folder / "mirrors")
    pair = Pair(base, repository.commit("After"))
    return asyncio.run(git.cut("ann/fix", pair, PYTHON.tests, PYTHON.runner.paths))


def test_files_of_the_runner_that_the_gold_patch_changes_are_put_in_place_with_the_tests(tmp_path):
    patches = cut(tmp_path)
    content = io.BytesIO(base64.b64decode(patches.test_archive))
    with tarfile.open(fileobj=content) as tar:
        assert tar.getnames() == ["tests/test_a.py", "setup.cfg", "sitecustomize.py"]
    assert (patches.test_paths, patches.removed_test_paths) == (["tests/test_a.py"], ["pytest.ini"])
    assert "sitecustomize.py" in patches.gold_patch
    assert "sitecustomize.py" not in patches.test_patch
