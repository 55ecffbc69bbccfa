"""The command line: every command parses, calls and prints, and nothing else in forge prints."""

import importlib
import io
import logging
import os
import pkgutil
import signal
import sys
import traceback
from typing import Any

import click

from forge.cli import _text
from forge.errors import ForgeError, ServiceError

INTERRUPTED = 130
DOCTOR = "\n`forge doctor` looks for what else is missing"
MODULES = {"try": "try_"}  # `try` is a word of Python's


class Commands(click.Group):
    """One module per command, imported when it is wanted: help must not wait for Polars."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the commands, from the names of the modules."""
        modules = [module.name for module in pkgutil.iter_modules(__path__)]
        return sorted(name.removesuffix("_") for name in modules if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"forge.cli.{MODULES.get(cmd_name, cmd_name)}")
        return module.command  # type: ignore[no-any-return]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sweforge")
def forge() -> None:
    """Turn a month of GH Archive into software-engineering tasks that a machine has verified.

    \b
    forge demo                      the whole way on a small world, in minutes
    forge build --month 2026-03     a real month, as far as its bounds allow
    """


def main() -> None:
    """Run a command; exit with the code of what stopped it, in one message without a traceback."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(logging.NullHandler())  # libraries tell us, not the terminal
    _print_as_the_reader_reads()
    _end_by_kill_as_by_interrupt()
    sys.exit(exit_code())


def exit_code() -> Any:
    """The exit code of the command that `sys.argv` names, after its errors are told."""
    try:
        return forge.main(standalone_mode=False)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        return _tell(told.getvalue().rstrip("\n"), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _tell(
            "interrupted: what was answered is kept, and the same command goes on", INTERRUPTED
        )
    except BrokenPipeError:  # `forge sql … | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ForgeError as error:
        hint = DOCTOR if isinstance(error, ServiceError) else ""
        return _tell(f"forge: {error}{hint}", error.exit_code)
    except Exception as error:  # noqa: BLE001 - the edge: what nobody foresaw is told as a bug
        return _tell(_as_bug(error), ForgeError.exit_code)


def _as_bug(error: Exception) -> str:
    from forge.address import masked

    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119 - a name, not a path
    return (
        f"forge: a bug at {where}: {type(error).__name__}: {masked(str(error))}\n"
        "what was answered is kept; please report this with the command you ran"
    )


def _tell(message: str, code: int) -> int:
    _text.echo(_text.message(message), err=True)  # it may quote what a stranger wrote
    return code


def _print_as_the_reader_reads() -> None:
    # To a terminal of another encoding, the bytes of UTF-8 may be commands.
    for stream in (sys.stdout, sys.stderr):
        encoding = stream.encoding if stream.isatty() else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]


def _end_by_kill_as_by_interrupt() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # In the background of a script: Ctrl-C is not for us, but what SIGTERM raises is.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    signal.raise_signal(signal.SIGINT)
