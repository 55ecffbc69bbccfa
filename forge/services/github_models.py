"""What forge reads of REST's answers: unknown fields are passed over, known ones must be right."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forge.errors import ServiceError

M = TypeVar("M", bound="Told")
LATEST = 253_402_300_799
"""The last second of the year 9999."""
Count = Annotated[int, Field(ge=0)]


class Told(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, strict=True)


class MinimalRepository(Told):
    """A repository as other things name theirs."""

    id: Annotated[int, Field(gt=0)]
    full_name: Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]
    private: bool
    fork: bool


class FoundFile(Told):
    """A file that a search for code found."""

    path: str
    repository: MinimalRepository


class FoundCode(Told):
    """A page of a search for code; incomplete where it took GitHub too long."""

    total_count: Count
    incomplete_results: bool
    items: list[FoundFile]


class Left(Told):
    """What is left of one limit until it resets, in seconds of 1970."""

    limit: Count
    remaining: Count
    reset: Annotated[int, Field(ge=0, le=LATEST)]


class Resources(Told):
    """What is left of each limit; Enterprise servers count searches for code as other searches."""

    core: Left
    search: Left
    graphql: Left
    code_search: Left | None = None


class RateLimits(Told):
    """What is left to a token."""

    resources: Resources


class User(Told):
    """Whose a token is."""

    id: int


def told(model: type[M], content: Any) -> M:
    """An answer's content read as what it should be."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its whole"
        raise ServiceError(
            f"GitHub answers something else than expected: {place}: {first['msg']}\n"
            "check that FORGE_GITHUB_URL is the address of GitHub's API"
        ) from None
