import polars as pl
import pytest

from forge.rules.difficulty import BRANCH, DEFINITION, DIMENSIONS, ELSE_IF, STATIC_DIFFICULTY

NAMES = [
    "code_lines",
    "code_files",
    "code_hunks",
    "code_directories",
    "definitions",
    "branches",
    "test_lines",
    "test_files",
]
ONE_LINE = dict.fromkeys(NAMES, 0) | {
    "code_lines": 2,
    "code_files": 1,
    "code_hunks": 1,
    "code_directories": 1,
    "test_lines": 5,
    "test_files": 1,
}
HUGE = dict.fromkeys(NAMES, 10_000)


def score(counts, expression=STATIC_DIFFICULTY):
    return pl.DataFrame([counts]).select(expression).item()


def test_change_of_one_line_is_as_easy_as_can_be():
    assert score(ONE_LINE) == 1.0


def test_scale_reaches_its_end():
    assert score(HUGE) == 10.0


@pytest.mark.parametrize("name", DIMENSIONS)
def test_dimension_runs_from_one_to_five(name):
    assert (score(ONE_LINE, DIMENSIONS[name].score), score(HUGE, DIMENSIONS[name].score)) == (1, 5)


def test_first_line_beyond_easy_is_worth_little():
    counts = ONE_LINE | {"test_lines": 26}
    assert score(counts, DIMENSIONS["tests"].score) == 1.05


def test_middle_of_the_curve_is_the_geometric_mean():
    raw = round((20 * 260) ** 0.5)
    counts = ONE_LINE | {"code_lines": raw - 8 - 3}
    assert score(counts, DIMENSIONS["scope"].score) == 3.0


def matches(pattern, line):
    return pl.select(pl.lit(f"-1 +1 @@\n+{line}\n").str.count_matches(pattern)).item()


@pytest.mark.parametrize(
    "line",
    [
        "def parse(text):",
        "    async def parse(self):",
        "class Parser:",
        "export default function parse(text) {",
        "const parse = async (text) => {",
        "func (p *Parser) Parse(text string) error {",
        "pub(crate) fn parse<'a>(text: &'a str) -> Tree {",
        "impl Parser for Tree {",
        "    public static List<Node> parse(String text) throws IOException {",
        "static int parse(const char *text) {",
        "struct tree {",
    ],
)
def test_definition_is_counted_once_in_many_languages(line):
    assert matches(DEFINITION, line) - matches(ELSE_IF, line) == 1


@pytest.mark.parametrize(
    "line",
    [
        "x = define(1)",
        "} else if (x) {",
        "else if (x) {",
        "else if(x) {",
        "if(x) {",
        "return parse(text);",
        "classes = []",
        "# def parse(text):",
    ],
)
def test_what_only_looks_like_a_definition_is_none(line):
    assert matches(DEFINITION, line) - matches(ELSE_IF, line) == 0


@pytest.mark.parametrize(
    ("line", "branches"),
    [("    if x:", 1), ("} else {", 1), ("for x in y:", 1), ("notify(if_=1)", 0), ("iffy = 1", 0)],
)
def test_line_that_steers_is_a_branch(line, branches):
    assert matches(BRANCH, line) == branches
