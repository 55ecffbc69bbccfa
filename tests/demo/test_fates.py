"""The fate of every pull request of the demo: a task, or the table at which it ends and why."""

from forge.demo.world import Repository

FATES = {
    "brokenyard/sundial#1": "recipes: its dependencies cannot be resolved",
    "ghosted/lostandfound#5": "repositories: it vanished",
    "kestrel-labs/ledgerline#41": "task",
    "kestrel-labs/ledgerline#42": "task",
    "kestrel-labs/ledgerline#43": "task",
    "kestrel-labs/ledgerline#44": "candidates: code without tests",
    "kestrel-labs/ledgerline#45": "candidates: a bump",
    "lanternworks/tidytext#12": "task",
    "lanternworks/tidytext#13": "task",
    "lanternworks/tidytext#14": "hours: closed, never merged",
    "lanternworks/tidytext#15": "task",
    "lanternworks/tidytext#16": "candidates: documentation only",
    "lanternworks/tidytext#17": "candidates: tests only",
    "lanternworks/tidytext#18": "verdicts: its tests pass before",
    "lanternworks/tidytext#19": "candidates: a bot's",
    "lanternworks/tidytext#20": "statements: says nothing",
    "lanternworks/tidytext#21": "task, whose statement quotes its patch",
    "mossgarden/colorpot#21": "task",
    "mossgarden/colorpot#22": "verdicts: nothing fails before and passes after",
    "mossgarden/colorpot#23": "candidates: a revert",
    "mossgarden/colorpot#24": "verdicts: fails by collapse only",
    "mossgarden/colorpot#25": "pull_requests: merge_ambiguous",
    "mudlark/pocket#1": "candidates: no licence",
    "mudlark/pocket#2": "hours: after the break of a cut-off dump",
    "oldmill/almanac#3": "task",
    "orrery-io/timetable#7": "task",
    "orrery-io/timetable#8": "task",
    "orrery-io/timetable#9": "verdicts: flaky",
    "papertrail/glyphs#3": "task",
    "papertrail/glyphs#4": "task",
    "papertrail/glyphs#5": "task",
    "papertrail/glyphs#6": "pull_requests: merge_not_found",
    "saltmarsh/tinybus#88": "candidates: a language that forge does not know",
    "stray-cat/tidytext#2": "tasks: the same patch as lanternworks/tidytext#13",
}


def test_every_pull_request_of_the_world_has_a_fate(repositories: dict[str, Repository]) -> None:
    assert FATES.keys() == {
        f"{r.repo}#{p.number}" for r in repositories.values() for p in r.pull_requests
    }
