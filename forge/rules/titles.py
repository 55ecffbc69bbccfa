"""Titles of changes that no engineer was asked to make."""

import polars as pl

TITLE = pl.col("title").str.strip_chars()

# `chore(deps): `, `[3.x] `, `fix!: `: what people put before the words.
LEAD = r"(?i)^(\[[^\]]*\]\s*|[a-z]+(\([^)]*\))?!?:\s*)*"

VERSION = r"[v^~>=]*\d+(\.\d+|\.x)*\S*"
PLAIN_VERSION = r"(v\d|\d+\.)\S*"
"""What is a version even where no word says so."""

IS_BUMP = (
    TITLE.str.contains(r"(?i)^[a-z]+\((npm-|pip-)?deps?([-/][a-z]+)*\)!?:")
    | TITLE.str.contains(
        rf"{LEAD}(bump|upgrade|update|pin|unpin)s?\b.*\bto ([a-z]+ )?{PLAIN_VERSION}$"
    )
    | TITLE.str.contains(rf"{LEAD}(bump|upgrade|update)s?\b.*\bfrom {VERSION} to {VERSION}")
    | TITLE.str.contains(rf"{LEAD}bump(s|ed|ing)? (the )?([a-z]+ )?(versions?|deps|dependenc\w+)\b")
    | TITLE.str.contains(
        rf"{LEAD}(update|upgrade|pin)s? (all |the |our |some |dev |python )*"
        r"(deps|dependenc\w+|requirements?|lock ?files?|submodules?)\b"
    )
    | TITLE.str.contains(rf"{LEAD}bump the .* group\b")
    | TITLE.str.contains(rf"{LEAD}(lock file maintenance|pre-commit auto-?update)")
)
"""Another version of something, and nothing else."""

IS_REVERT = TITLE.str.contains(
    rf'{LEAD}(partial(ly)? )?(re-?)?(revert|back ?out)(s|ed|ing)?\b[:" ]'
)
"""An undoing, or the undoing of one."""

IS_RELEASE = TITLE.str.contains(
    rf"{LEAD}((prepare|cut|make|tag|start|new)s? (the |a |for )*)*"
    rf"(pre-?)?(release|version)(s|d)?( (of|for|version))*:? {VERSION}$"
) | TITLE.str.contains(
    rf"{LEAD}{PLAIN_VERSION}( (pre-?)?(release|rc))?$"
    rf"|{LEAD}(prepare|cut|make)s? (for )?(the |a )?({VERSION} |next |new |minor |patch |major )?"
    r"release\b"
    rf"|{LEAD}(chore|build|ci)\(release\)"
)
"""The making of a release."""

IS_MERGE = TITLE.str.contains(
    rf"{LEAD}(merge|sync|back-?merge)s? "
    r"(branch|remote|tag|pull request|upstream|main|master|develop|dev|trunk)\b"
)
"""A branch that follows another."""
