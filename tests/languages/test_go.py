import re
from datetime import datetime

import polars as pl
import pytest

from forge.languages import languages
from forge.languages.go import GO, targets
from forge.recipes.drafts import Wanted
from forge.recipes.project import Project

TESTS = [
    "a_test.go",
    "pkg/b/b_internal_test.go",
    "pkg/b/testdata/deep/a.json",
    "test/helpers.go",
    "tests/e2e.txt",
    "internal/testutil/http.go",
    "pkg/testhelpers/a.go",
    "internal/test/a.go",
]
NO_TESTS = [
    "a.go",
    "latest.go",
    "cmd/test/test.go",
    "pkg/testing.go",
    "attest/a.go",
    "contest/testable.go",
    "testify/assert.go",
]
RUNNER_FILES = ["go.mod", "sub/go.sum", "go.work", "vendor/github.com/x/y/y.go", "a/vendor/b.go"]
MERGED = datetime(2026, 3, 5, 12)
MOD = "module example.org/sums\n\ngo 1.25.0\n\nrequire example.org/dep v1.0.0\n"


def wanted(*test_paths, **more):
    return Wanted("ada/sums", "c" * 40, MERGED, test_paths or ("a_test.go",), **more)


def drafts(files, *test_paths, **more):
    return GO.draft(Project(files), wanted(*test_paths, **more))


@pytest.mark.parametrize("path", TESTS)
def test_path_of_a_test_or_of_what_tests_read_is_a_test(path):
    assert re.search(GO.tests, path)


@pytest.mark.parametrize("path", NO_TESTS)
def test_path_that_only_sounds_like_a_test_is_none(path):
    assert not re.search(GO.tests, path)


@pytest.mark.parametrize("path", RUNNER_FILES)
def test_what_may_replace_packages_that_tests_import_is_put_back(path):
    assert re.search(GO.runner.files, path)


@pytest.mark.parametrize("pattern", [GO.source, GO.tests, GO.manifests, GO.runner.paths])
def test_polars_and_python_agree_on_every_pattern(pattern):
    paths = [*TESTS, *NO_TESTS, *RUNNER_FILES]
    by_polars = pl.Series(paths).str.contains(pattern).to_list()
    assert by_polars == [bool(re.search(pattern, path)) for path in paths]


@pytest.mark.parametrize(
    ("touched", "chosen"),
    [
        (["a_test.go"], ["."]),
        (["pkg/b/b_test.go", "pkg/b/c_test.go", "doc/d_test.go"], ["doc", "pkg/b"]),
        (["testdata/a.txt", "pkg/b/testdata/x/y.json"], [".", "pkg/b"]),
        (["internal/testutil/http.go", "internal/a/a_test.go"], ["internal/..."]),
        (["test/helpers.go", "pkg/b/b_test.go"], ["./..."]),
        ([], []),
    ],
)
def test_touched_paths_choose_packages_and_helpers_all_beside_them(touched, chosen):
    assert targets(touched) == chosen


def test_lock_is_the_go_mod_and_go_sum_of_the_merge():
    (draft,) = drafts({"go.mod": MOD, "go.sum": "example.org/dep v1.0.0 h1:x=\n", "README.md": ""})
    sums = "example.org/dep v1.0.0 h1:x=\n"
    assert draft.recipe.lock == f"-- go.mod --\n{MOD}-- go.sum --\n{sums}"
    assert (draft.reader, draft.lock_source) == ("go.mod: go 1.25.0", "merge")
    assert (draft.recipe.image, draft.requirements) == ("golang:1-bookworm", None)


def test_modules_of_the_base_come_second_where_they_differ():
    base = Project({"go.mod": MOD.replace("v1.0.0", "v0.9.0")})
    found = drafts({"go.mod": MOD}, base=base)
    assert [draft.lock_source for draft in found] == ["merge", "base"]
    assert "v0.9.0" in found[1].recipe.lock


def test_vendored_modules_are_not_fetched():
    files = {"go.mod": MOD, "vendor/modules.txt": "# example.org/dep v1.0.0\n"}
    vendored, fetched = drafts(files)[0], drafts({"go.mod": MOD})[0]
    assert "mod download" not in vendored.recipe.dependencies
    assert "mod download" in fetched.recipe.dependencies
    assert vendored.recipe.environment["GOFLAGS"] == "-mod=vendor -buildvcs=false"
    assert fetched.recipe.environment["GOFLAGS"] == "-mod=readonly -buildvcs=false"
    assert vendored.reader == "go.mod: go 1.25.0, vendored"


def test_tests_run_without_a_proxy_and_with_the_toolchain_of_the_image():
    (draft,) = drafts({"go.mod": MOD})
    environment = draft.recipe.environment
    assert (environment["GOPROXY"], environment["GOTOOLCHAIN"]) == ("off", "local")


def test_lock_holds_the_innermost_module_of_the_tests_and_those_it_needs_from_the_repository():
    files = {
        "go.mod": MOD,
        "api/go.mod": "module example.org/sums/api\n\nreplace example.org/x => ../libs/x // here\n",
        "libs/x/go.mod": "module example.org/x\n",
        "libs/y/go.mod": "module example.org/y\n",
        "api/v1/testdata/mod/go.mod": "module fixture\n",
    }
    (draft,) = drafts(files, "api/v1/a_test.go")
    assert re.findall("(?m)^-- (.*) --$", draft.recipe.lock) == ["api/go.mod", "libs/x/go.mod"]


def test_lock_holds_all_modules_of_a_workspace():
    files = {
        "go.work": 'go 1.25\n\nuse (\n\t./api // main\n\t"./libs/y"\n)\nuse ./tool // it\n',
        "api/go.mod": "module example.org/api\n",
        "libs/x/go.mod": "module example.org/x\n",
        "libs/y/go.mod": "module example.org/y\n",
        "tool/go.mod": "module example.org/tool\n",
    }
    (draft,) = drafts(files, "api/a_test.go")
    held = ["api/go.mod", "go.work", "libs/y/go.mod", "tool/go.mod"]
    assert re.findall("(?m)^-- (.*) --$", draft.recipe.lock) == held


def test_tests_outside_of_every_module_have_no_recipe():
    found = drafts({"api/go.mod": MOD}, "a_test.go")
    assert (found.kind, found.reason) == ("data", "no_go_module")


def test_toolchain_that_go_mod_names_is_used_where_its_image_may_be():
    files = {"go.mod": "module example.org/sums\n\ngo 1.24.0\ntoolchain go1.25.3\n"}
    allowed = ("golang:1.24-bookworm", "golang:1.25-bookworm")
    images = [drafts(files, images=images)[0].recipe.image for images in (allowed, allowed[:1])]
    assert images == ["golang:1.25-bookworm", "golang:1-bookworm"]


def test_image_chosen_by_hand_is_used():
    assert drafts({"go.mod": MOD}, image="golang:1.24")[0].recipe.image == "golang:1.24"


def test_languages_are_found_by_name():
    assert languages()["go"] is GO
