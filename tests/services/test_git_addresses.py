from pathlib import Path

import pytest
from histories import Repository

from forge.errors import InputError
from forge.services.git_addresses import address_of, checked, repo_of


@pytest.mark.parametrize(
    ("address", "repo"),
    [
        ("https://github.com/psf/requests", "psf/requests"),
        ("https://github.com/psf/requests.git/", "psf/requests"),
        ("https://ann:token@git.example.org:8443/deep/group/tool.git", "group/tool"),
        ("git@github.com:psf/requests.git", "psf/requests"),
        ("ssh://git@example.org/tool.git", "local/tool"),
    ],
)
def test_a_repository_is_named_by_its_address(address, repo):
    assert repo_of(address) == repo


def test_a_folder_is_named_by_its_origin_else_by_itself(tmp_path: Path):
    made = Repository(tmp_path / "my tool")
    assert repo_of(str(made.folder)) == repo_of(f"file://{made.folder}/.git") == "local/my-tool"

    made.git("remote", "add", "origin", "git@github.com:psf/requests.git")
    assert repo_of(str(made.folder)) == "psf/requests"


def test_a_template_may_be_a_folder_or_one_single_repository():
    assert address_of("/srv/{owner}/{repo}.git", "psf/.github") == "file:///srv/psf/.github.git"
    assert address_of("https://example.org/tool", "psf/x") == "https://example.org/tool"


def test_a_folder_that_the_user_names_must_be_there(tmp_path: Path):
    assert checked(str(tmp_path)) == f"file://{tmp_path}"
    with pytest.raises(InputError, match="no git repository at /no/where\nname a folder"):
        checked("/no/where")


@pytest.mark.parametrize("address", ["--upload-pack=x", "ext::sh -c x", "-o@h:x", "https://a/\x1b"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError):
        checked(address)
