import pytest

from forge.recipes.requirement_lines import included, sort_out

HASH = "0" * 64


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        ("attrs", "attrs"),
        ("attrs >= 20 , < 30", "attrs<30,>=20"),
        (f"attrs==25.1 --hash=sha256:{HASH}", "attrs==25.1"),
        ("tomli; python_version<'3.11'", 'tomli; python_version < "3.11"'),
        ("-e .", "."),
        ("-e .[dev, test]", ".[dev,test]"),
        ("--editable=.[dev]", ".[dev]"),
        (".[test]", ".[test]"),
        ("file:.", "."),
    ],
)
def test_line_that_an_index_can_answer_is_kept(line, requirement):
    assert sort_out(line) == (requirement, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("git+https://example.org/x.git@main#egg=x", "vcs"),
        ("-e git+ssh://git@example.org/x.git", "vcs"),
        ("x @ git+https://example.org/x", "vcs"),
        ("https://example.org/x.whl", "url"),
        ("x @ https://example.org/x.zip", "url"),
        ("x @ file:///etc/passwd", "path"),
        ("-e ./libs/x", "path"),
        ("../x", "path"),
        ("/etc/passwd", "path"),
        ("vendor/x-1.0.tar.gz", "path"),
        ("-r elsewhere.txt", "no such file"),
        ("-c constraints.txt", "option"),
        ("--index-url https://example.org/simple", "option"),
        ("$(touch /tmp/owned)", "not a requirement"),
        ("attrs==25.1; import os", "not a requirement"),
        ("${NAME}>=1", "not a requirement"),
    ],
)
def test_line_that_no_index_can_answer_is_left_out_with_its_reason(line, reason):
    assert sort_out(line)[1] == reason


def test_included_files_are_read_from_the_folder_of_the_file_that_names_them():
    files = {"requirements/test.txt": "-r base.txt\npytest\n", "requirements/base.txt": "attrs\n"}
    assert included(["-r requirements/test.txt"], files, "") == ("attrs", "pytest")


def test_files_that_include_each_other_are_read_once():
    files = {"a.txt": "-r b.txt\nx\n", "b.txt": "--requirement=a.txt\ny\n"}
    assert included(["-ra.txt"], files, "") == ("y", "x")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "https://example.org/r.txt"])
def test_include_outside_the_repository_is_not_followed(name):
    assert included([f"-r {name}"], {"etc/passwd": "root"}, "deps") == (f"-r {name}",)


def test_lists_are_cut_at_a_bound():
    files = {"a.txt": "x\n" * 10_000}
    assert len(included(["-r a.txt"], files, "")) == 2_000
