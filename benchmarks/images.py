"""Measure what images share, and what a task's own adds to the checkout that it needs.

Run `FORGE_ROOT=… python -m benchmarks.images MONTH` after `forge build --to environments`.
"""

from collections.abc import Iterator

import click
import polars as pl

from forge.leftovers import engine
from forge.services.docker_containers import Program, options
from forge.settings import Settings

LOGGED = {"Type": "json-file"}
SIZE = "du -sb /testbed | cut -f1"
MANY = 20
"""So many environments of a repository have to share their dependencies."""


@click.command()
@click.argument("month")
@click.option("--images", default=20, show_default=True, help="Most images to look into.")
@click.option("--shared", default=0.4, show_default=True, help="Dependencies per environment.")
@click.option("--own", default=1.3, show_default=True, help="An image's bytes per checkout's.")
def main(month: str, images: int, shared: float, own: float) -> None:
    """Tell dependencies built per environment, and each image's own bytes over its checkout."""
    folder = Settings().root / "environments" / f"month={month}"
    built = pl.read_parquet(folder / "*.parquet").filter("is_built")
    missed = [*_sharing(built, shared), *_own(built.head(images), own)]
    for line in missed:
        click.echo(f"missed: {line}")
    raise SystemExit(bool(missed))


def _sharing(built: pl.DataFrame, most: float) -> Iterator[str]:
    name = pl.col("image").str.extract(r"^sweforge/(.*):").first()
    tiers = pl.col("dependencies_image").n_unique()
    by_repository = built.group_by("repository_id").agg(name, pl.len(), tiers=tiers)
    for _, repo, environments, images in by_repository.sort("image").rows():
        ratio = images / environments
        told = f"{repo}: {environments} environments, {images} of dependencies: {ratio:.2f} each"
        click.echo(told)
        if environments >= MANY and ratio >= most:
            yield told


def _own(built: pl.DataFrame, most: float) -> Iterator[str]:
    with engine() as client:
        for image, own in built.select("image", "own_bytes").rows():
            bare = options(Program(image, ("bash", "-c", SIZE), user="1000:1000"))
            checkout = int(client.containers.run(**bare | {"log_config": LOGGED}, remove=True))
            told = f"{image}: {own:,} of {checkout:,} bytes: {own / checkout:.2f}"
            click.echo(told)
            if own > most * checkout:
                yield told


if __name__ == "__main__":
    main()
