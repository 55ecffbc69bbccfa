"""Everything that can end a command, one class per exit code."""


class ForgeError(Exception):
    """Says what went wrong, where, and what to do next, in one message."""

    exit_code = 1


class ContractError(ForgeError):
    """A table broke its schema: a bug in forge, and nothing was committed."""


class UsageError(ForgeError):
    """The command line or the settings ask for something that does not exist."""

    exit_code = 2


class InputError(ForgeError):
    """A file or an address that the user named cannot be used."""

    exit_code = 3


class ServiceError(ForgeError):
    """A service is down; what was answered before is kept."""

    exit_code = 4


class LockError(ForgeError):
    """Another build holds this root and month."""

    exit_code = 5


class EngineError(ServiceError):
    """No Docker engine answers."""

    exit_code = 6


class SpaceError(ForgeError):
    """The disk is full."""

    exit_code = 7


class InvalidError(ForgeError):
    """A grade or a check says no."""

    exit_code = 9
