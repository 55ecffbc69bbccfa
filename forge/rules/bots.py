"""Which pull requests a machine wrote: judged by its author, never by who merged it."""

import polars as pl

# `talbot`, `botandrose` and `robot-dreams` are people: only a separated ending counts.
BOT_ENDING = r"\[bot\]$|[-_](bot|robot|autoroller|ci|automation)$"

# Machines under names that do not say so.
BOTS = (
    "allcontributors",
    "autorelease",
    "bitdeli-chef",
    "bors",
    "codecov-io",
    "copilot",
    "dependabot",
    "everypoliticianbot",
    "fossabot",
    "gitter-badger",
    "googlebot",
    "greenkeeperio",
    "homu",
    "imgbot",
    "mergify",
    "mumbletransifexbot",
    "pyup",
    "renovate",
    "rust-timer",
    "scala-steward",
    "sonatype-depshield",
    "traviscibot",
    "waffle-with-gitter",
    "weblate",
    "whitesourcebolt",
)

# Branches that only machines push.
BOT_BRANCH = (
    r"^(dependabot|renovate|greenkeeper|depfu|scala-steward|all-contributors|imgbot|whitesource"
    r"|release-please--branches|changeset-release|mergify/(bp|copy|merge-queue)|create-pull-request"
    r"|copilot|devin|weblate|transifex|crowdin|l10n_crowdin|restyled)/"
    r"|^(snyk-(fix|upgrade)-[0-9a-f]{8,}|pyup-(update|scheduled|config)|pre-commit-ci-update-config"
    r"|release-please--|greenkeeper-|imgbot$|l10n_|weblate-|crowdin-translations)"
)

AUTHOR = pl.col("author").str.to_lowercase()

IS_BOT = (
    pl.when(pl.col("author").is_not_null())
    .then(
        AUTHOR.str.contains(BOT_ENDING)
        | AUTHOR.is_in(BOTS)
        | pl.col("author_type").eq_missing(pl.lit("Bot"))
    )
    .when(pl.col("head_ref").str.contains(BOT_BRANCH))
    .then(pl.lit(value=True))
)
"""Null where neither the author is known nor the branch is a machine's."""
