"""Paths that are neither code nor tests, whatever the language."""

# Text for people. A `.txt` is data more often than prose, unless its name says otherwise.
DOCS = (
    r"(?i)\.(md|mdx|rst|adoc|asciidoc|org|pod)$"
    r"|(^|/)(docs?|documentation)/"
    r"|(^|/)(readme|changes|changelog|history|news|authors|contributors|contributing|copying"
    r"|licen[cs]e|notice|todo|security|codeowners|maintainers|thanks|citation)([._-][^/]*)?$"
    r"|(^|/)(news|changes|changelog(\.d)?|newsfragments|\.changeset|releasenotes)/"
)

# What tools of a project read: hidden files, continuous integration, lock files.
CI = (
    r"(?i)^\.(github|circleci|gitlab|buildkite|azure-pipelines|ci)/"
    r"|^(\.gitlab-ci\.ya?ml|\.travis\.ya?ml|appveyor\.ya?ml|azure-pipelines[^/]*\.ya?ml|jenkinsfile"
    r"|\.cirrus\.ya?ml|bors\.toml|codecov\.ya?ml|\.pre-commit-config\.yaml|\.readthedocs\.ya?ml)$"
)
LOCKS = r"(^|/)[^/]*(\.lock|[-.]lock\.(json|ya?ml|toml)|go\.sum|npm-shrinkwrap\.json)$"
HIDDEN = r"(^|/)\.[^/]"
GENERATED = (
    r"\.min\.(js|css)$|\.(js|css)\.map$|(_pb2(_grpc)?\.pyi?|\.pb(\.gw)?\.go|\.generated\.\w+)$"
    r"|(^|/)(node_modules|vendor|third_party|dist)/"
)
