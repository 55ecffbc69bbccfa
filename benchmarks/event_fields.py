"""Names of fields that events of GH Archive repeat, as of 2021."""

ACCOUNT_URLS = [
    "followers", "following{/other_user}", "gists{/gist_id}", "starred{/owner}{/repo}",
    "subscriptions", "organizations", "repos", "events{/privacy}", "received_events",
]  # fmt: skip
REPOSITORY_URLS = [
    "forks", "keys{/key_id}", "collaborators{/collaborator}", "teams", "hooks",
    "issue_events{/number}", "events", "assignees{/user}", "branches{/branch}", "tags",
    "blobs/git{/sha}", "git_tags{/sha}", "git_refs{/sha}", "trees/git{/sha}", "statuses/{sha}",
    "languages", "stargazers", "contributors", "subscribers", "subscription", "commits{/sha}",
    "git_commits{/sha}", "comments{/number}", "issue_comment{/number}", "contents/{+path}",
    "compare/{base}...{head}", "merges", "archive/{archive_format}{/ref}", "downloads",
    "issues{/number}", "pulls{/number}", "milestones{/number}",
    "notifications{?since,all,participating}", "labels{/name}", "releases{/id}", "deployments",
]  # fmt: skip
REPOSITORY_FLAGS = [
    "private", "archived", "disabled", "has_projects", "has_pages", "has_issues", "has_downloads",
    "has_wiki",
]  # fmt: skip
REPOSITORY_COUNTS = [
    "size", "stargazers_count", "watchers_count", "forks_count", "open_issues_count", "forks",
    "open_issues", "watchers",
]  # fmt: skip
REACTIONS = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"]
