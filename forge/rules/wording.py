"""What people wrote, without what tools and customs added to it."""

import polars as pl

NUMBER = r"(\s*\(#\d+\))+\s*$"
BORS = r"^\d+: (.*?) r=\S+( a=\S+)?$"

TRAILER = (
    r"(?im)^[ \t]*("
    r"[a-z]+(-[a-z]+)*-by:|change-id:|reviewed-on:|differential revision:|pull request resolved:"
    r"|(piperorigin|gitorigin|gitsubtree)-[a-z-]+:|cc: \S+@|\(cherry[- ]picked from commit"
    r"|this reverts commit|git-svn-id:|test plan: imported|co-authored with \S+@"
    r"|signed-off:|release-note:|changelog:"
    r").*$"
)
RULE = r"\n\s*\n-{5,}\s*$"  # under words it would be Markdown's mark of a heading
COMMENT = r"(?s)<!--.*?-->"
# I have searched, I've read, I agree; not: I can't log in.
PROMISE = (
    r"(?im)^[ \t]*[-*+] \[[ x]\] I(['\x{2019}](ve|m|ll)"
    r"| (also |already )?(have|am|will|did|agree|confirm|understand|acknowledge|accept|read"
    r"|searched|checked|verified|tested|looked))\b.*$"
)
UNANSWERED = r"(?m)^#{2,4} [^\n]*\n\s*_No response_[ \t]*$"
# Of one level alone: what has parts is not empty. Blank lines part headings from comments in code.
EMPTY = "(?m)" + "|".join(rf"(?:^{mark} [^\n]*\n\s*\n)+({mark} )" for mark in ("##", "###", "####"))
LAST_EMPTY = r"\n(?:#{2,4} [^\n]*\s*)+$"
BLANK_LINES = r"\n[ \t]*(\n[ \t]*)+\n"


def title_of(title: pl.Expr) -> pl.Expr:
    """A title without its number and the words of a merge bot."""
    return title.str.strip_chars().str.replace(NUMBER, "").str.replace(BORS, "$1").pipe(_or_null)


def body_of(body: pl.Expr) -> pl.Expr:
    """A body without trailers, the rule that GitHub draws, and what a template asked in vain."""
    return (
        body.str.replace_all("\r\n", "\n", literal=True)
        .str.replace_all(COMMENT, "")
        .str.replace_all(TRAILER, "")
        .str.replace(RULE, "")
        .str.replace_all(PROMISE, "")
        .str.replace_all(UNANSWERED, "")
        .str.replace_all(EMPTY, "$1$2$3")
        .str.replace(LAST_EMPTY, "")
        .str.replace_all(BLANK_LINES, "\n\n")
        .str.strip_chars()
        .pipe(_or_null)
    )


def _or_null(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)
