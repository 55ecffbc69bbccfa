"""Images of tasks, sent to a registry on loopback and saved in a folder."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator

import handmade
import polars as pl
import pytest
from registries import LOGIN, registry, remove, small_image, small_tasks

from forge.check_results import results
from forge.checking import Tasks, check_all
from forge.errors import InputError, ServiceError, UsageError
from forge.exported import read_tasks
from forge.exporters.swebench import export
from forge.saving import saved
from forge.services.docker_room import our_images
from forge.settings import Settings
from forge.shipping import check_registry, pushed, shipped_in


def silent(*_: object) -> None: ...


@pytest.fixture
def place(needs, tmp_path) -> Iterator[str]:
    """The address of a registry that is empty."""
    with registry(needs("docker-registry"), tmp_path / "registry") as address:
        yield address


@pytest.fixture
def small(docker_engine) -> Iterator[pl.LazyFrame]:
    with small_tasks(docker_engine) as tasks:
        yield tasks


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(root=tmp_path / "data")


def written_in(folder) -> dict[str, int]:
    """When each file of a registry was written."""
    held = (folder / "held").rglob("*")
    return {str(path): path.stat().st_mtime_ns for path in held if path.is_file()}


def test_images_are_pushed_once_with_the_layer_that_they_share(small, place, settings, tmp_path):
    first = pushed(small, f"{place}/team", settings, silent)
    before = written_in(tmp_path / "registry")
    # A base, two layers of their own, two configurations, two manifests.
    assert sum("/blobs/sha256/" in path for path in before) == 7
    assert pushed(small, f"{place}/team", settings, silent) == first
    assert written_in(tmp_path / "registry") == before


def test_rows_name_pushed_images_by_digest(small, place, settings):
    shipped = pushed(small, f"{place}/team", settings, silent)
    rows = shipped_in(small, shipped).collect().to_dicts()
    names = [row["image"].removeprefix("sweforge/") for row in small.collect().to_dicts()]
    assert [row["image"].partition("@")[0] for row in rows] == [
        f"{place}/team/{name.partition(':')[0]}" for name in names
    ]
    assert all("@sha256:" in row["image"] for row in rows)
    assert [row["image_digest"] for row in rows] == [one.digest for one in shipped]


def test_push_leaves_no_other_name_on_the_image(small, place, settings, docker_engine):
    (name, _) = small.collect()["image"]
    pushed(small, place, settings, silent)
    assert docker_engine.images.get(name).tags == [name]


def test_image_that_was_pulled_is_none_of_ours_whatever_its_labels_say(docker_engine, place):
    name = f"{place}/stranger"
    small_image(docker_engine, "scratch", f"{name}:1", forge="task")
    docker_engine.images.push(name, tag="1")
    (digest,) = docker_engine.images.get(f"{name}:1").attrs["RepoDigests"]
    remove(docker_engine, f"{name}:1")
    pulled = docker_engine.images.pull(digest)
    try:
        assert pulled.id not in {image.id for image in our_images(docker_engine)}
    finally:
        remove(docker_engine, digest)


def test_registry_that_is_not_there_is_named_with_image_and_remedy(small, settings):
    with pytest.raises(ServiceError) as failed:
        pushed(small, "127.0.0.1:9/team", settings, silent)
    first, last = str(failed.value).splitlines()
    assert first.startswith(f"{small.collect()['image'][0]} could not be pushed to 127.0.0.1:9: ")
    assert last == (
        "see whether 127.0.0.1:9 is up and can be reached from the engine, and export again: "
        "what is there is not pushed again"
    )


def test_login_is_taken_from_dockers_own_config(needs, small, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with registry(needs("docker-registry"), tmp_path / "closed", asks_login=True) as address:
        with pytest.raises(ServiceError, match=f"`docker login {address}` with an account"):
            pushed(small, address, settings, silent)
        login = base64.b64encode(":".join(LOGIN).encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {address: {"auth": login}}}))
        assert len(pushed(small, address, settings, silent)) == 2


@pytest.mark.parametrize(
    "place",
    ["nohost", "Registry.example.org/Team", "https://example.org", "ada:pw@example.org", ""],
)
def test_what_names_no_registry_is_refused_without_its_password(place):
    with pytest.raises(UsageError) as refused:
        check_registry(place)
    assert "ada:pw" not in str(refused.value)


@pytest.fixture(scope="module")
def task(docker_engine, tmp_path_factory) -> pl.LazyFrame:
    """The ordinary task made by hand."""
    tasks = handmade.make(tmp_path_factory.mktemp("handmade") / "repository", docker_engine)
    return tasks.filter(pl.col("number") == len(handmade.AWKWARD))


def only(task, engine) -> pl.LazyFrame:
    """The task over an image of a name of its own, which may be removed."""
    engine.images.get(handmade.IMAGE).tag("sweforge/shipped", "1")
    return task.with_columns(image=pl.lit("sweforge/shipped:1"), recipe=pl.lit(None, pl.String))


def outcome(file, settings) -> dict[str, object]:
    with results(file.with_name("checked.jsonl")) as held:
        (row,) = check_all(
            Tasks(read_tasks(file), "", {"grace__shouting-9"}), settings, held, silent
        )
    return row


def test_pushed_task_is_pulled_where_its_image_is_gone_and_holds(
    task, docker_engine, place, settings, tmp_path
):
    tasks = only(task, docker_engine)
    shipped = pushed(tasks, place, settings, silent)
    export(shipped_in(tasks, shipped), tmp_path / "tasks.parquet")
    remove(docker_engine, "sweforge/shipped:1")
    # Another test may use the very image under the name that it was made with.
    lost = pl.read_parquet(tmp_path / "tasks.parquet").with_columns(image_digest=pl.lit(None))
    lost.write_parquet(tmp_path / "lost.parquet")
    row = outcome(tmp_path / "lost.parquet", settings)
    assert (row["outcome"], row["image_source"]) == ("holds", "pulled")
    assert row["image_digest"] == shipped[0].digest
    assert not any(place in name for image in docker_engine.images.list() for name in names(image))


def names(image) -> list[str]:
    return [*image.tags, *(image.attrs["RepoDigests"] or ())]


def test_saved_images_are_loaded_by_the_script_beside_them(
    small, docker_engine, needs, settings, tmp_path
):
    needs("docker")
    folder = tmp_path / "images"
    before = small.collect()
    saved(small, folder, settings, silent)
    (tar,) = folder.glob("*.tar")
    for name in before["image"]:
        remove(docker_engine, name)
    subprocess.run([folder / "load.sh"], check=True, capture_output=True)
    assert [docker_engine.images.get(name).id for name in before["image"]] == list(
        before["image_digest"]
    )
    written = tar.stat().st_mtime_ns
    saved(small, folder, settings, silent)
    assert tar.stat().st_mtime_ns == written
    assert sorted(path.name for path in folder.iterdir()) == ["load.sh", tar.name]


def test_saved_tar_that_was_damaged_is_not_loaded(small, docker_engine, needs, settings, tmp_path):
    needs("docker")
    saved(small, tmp_path, settings, silent)
    (tar,) = tmp_path.glob("*.tar")
    tar.write_bytes(tar.read_bytes().replace(b"sweforge", b"sweforgs"))
    for name in small.collect()["image"]:
        remove(docker_engine, name)
    ended = subprocess.run([tmp_path / "load.sh"], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"{tar.name}: copy it again" in ended.stderr


def test_images_that_stand_on_the_same_layers_share_a_tar(small, docker_engine, settings, tmp_path):
    with small_tasks(docker_engine) as others:
        shutil.rmtree(tmp_path / "images", ignore_errors=True)
        saved(pl.concat([small, others]), tmp_path / "images", settings, silent)
    assert len([*(tmp_path / "images").glob("*.tar")]) == 2


def test_second_export_into_a_folder_keeps_what_the_first_put_there(
    small, docker_engine, needs, settings, tmp_path
):
    needs("docker")
    folder = tmp_path / "images"
    with small_tasks(docker_engine) as others:
        for tasks in (small, others):
            saved(tasks, folder, settings, silent)
        names = [*small.collect()["image"], *others.collect()["image"]]
        for name in names:
            remove(docker_engine, name)
        subprocess.run([folder / "load.sh"], check=True, capture_output=True)
        assert [name for name in names if not docker_engine.images.list(name)] == []
        next(folder.glob(f"small-*{names[0][21:30]}*.tar")).unlink()
        saved(others, folder, settings, silent)
    assert (folder / "load.sh").read_text().count("\nload ") == 1


def test_script_of_somebody_elses_is_never_written_over(settings, tmp_path):
    (tmp_path / "load.sh").write_text("echo mine\n")
    row = {"instance_id": "a", "image": "sweforge/gone:1", "image_digest": None, "recipe": None}
    with pytest.raises(InputError, match=r"load\.sh is somebody's own, and stays as it is"):
        saved(pl.LazyFrame([row]), tmp_path, settings, silent)
    assert (tmp_path / "load.sh").read_text() == "echo mine\n"
