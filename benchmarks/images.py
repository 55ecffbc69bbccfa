"""Measure what images share, and what a task's own adds to the checkout that it needs.

Run `FORGE_ROOT=… python -m benchmarks.images MONTH` after `forge build --to environments`.
"""

import click
import polars as pl

from forge.leftovers import engine
from forge.settings import Settings

SIZE = "du -sb /testbed | cut -f1"


@click.command()
@click.argument("month")
@click.option("--images", default=20, show_default=True, help="Most images to look into.")
def main(month: str, images: int) -> None:
    """Tell dependencies built per environment, and each image's own bytes over its checkout."""
    folder = Settings().root / "environments" / f"month={month}"
    built = pl.read_parquet(folder / "*.parquet").filter("is_built")
    tiers = built["dependencies_image"].n_unique()
    click.echo(f"{len(built)} environments on {tiers} dependencies: {tiers / len(built):.2f} each")
    with engine() as client:
        for image, own in built.select("image", "own_bytes").head(images).rows():
            looked = ["bash", "-c", SIZE]
            checkout = int(client.containers.run(image, looked, remove=True, network_disabled=True))
            click.echo(f"{image}: {own:,} of {checkout:,} bytes: {own / checkout:.2f}")


if __name__ == "__main__":
    main()
