"""The commands of nirtrans, and what becomes of an error: one line on stderr and an exit code."""

import contextlib
import functools
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Annotated, Any, NoReturn

import typer

from nirtrans import __version__
from nirtrans.cli.bench import bench
from nirtrans.cli.colorize import colorize
from nirtrans.cli.config import config
from nirtrans.cli.convert import convert
from nirtrans.cli.data import data_app
from nirtrans.cli.demo import demo
from nirtrans.cli.doctor import doctor
from nirtrans.cli.evaluate import evaluate
from nirtrans.cli.models import models
from nirtrans.cli.study import study_app
from nirtrans.cli.train import train
from nirtrans.errors import NirtransError, Terminated
from nirtrans.io.gdal import forget_foreign_proj

app = typer.Typer(
    name="nirtrans",
    help="Translate near-infrared, grayscale and line-art pictures and rasters to RGB.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


class _Interrupted(Exception):
    """Carries an interrupt past typer, which would make 130 of SIGTERM's 143; it is the cause."""


def _carrying_interrupts(command: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(command)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt as stop:
            raise _Interrupted from stop

    return call


for command in (train, colorize, evaluate, models, config, convert, demo, bench, doctor):
    app.command()(_carrying_interrupts(command))
for name, group in (("data", data_app), ("study", study_app)):
    for registered in group.registered_commands:
        registered.callback = registered.callback and _carrying_interrupts(registered.callback)
    app.add_typer(group, name=name)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nirtrans {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Translate near-infrared, grayscale and line-art pictures and rasters to RGB."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 the user's input, 3 failed while running, 130 or 143 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    _speak_with_one_voice(debug)
    signal.signal(signal.SIGTERM, _terminate)
    for setting in forget_foreign_proj():
        logging.getLogger("nirtrans").warning("%s is of another program and is not used; unset it", setting)
    code = run(arguments, debug=debug)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.exit(code)


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command and return its exit code; an error is printed as one line on stderr."""
    try:
        return _call(arguments)
    except typer.Exit as stop:
        return stop.exit_code
    except NirtransError as error:
        return _report(error, error.exit_code, debug)
    except _Interrupted as stop:
        return _report(stop.__cause__ or stop, getattr(stop.__cause__, "exit_code", 130), debug=False)
    except KeyboardInterrupt as stop:
        return _report(stop, getattr(stop, "exit_code", 130), debug=False)
    except BrokenPipeError:  # `nirtrans models | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _report(MemoryError("out of memory; make the crop, the batch or the tile smaller"), 3, debug)
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of the option parser, empty where it has printed the help
            return _report(ValueError(message), 2, debug) if (message := error.format_message()) else 2
        return _report(RuntimeError(f"unexpected {type(error).__name__}: {error}; --debug shows where"), 3, debug)


def _call(arguments: list[str]) -> int:
    """Run one command; calling `app` itself would put typer's hook for exceptions in place of ours."""
    return int(typer.main.get_command(app)(args=arguments, standalone_mode=False) or 0)


def _report(error: BaseException, code: int, debug: bool) -> int:
    """Print an error as one line, or with its traceback under --debug."""
    if debug:
        sys.excepthook(*sys.exc_info())
    text = " ".join(str(error).split()) or "interrupted"
    print(f"error: {text}", file=sys.stderr)
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated("terminated")


class _WarningLine(logging.Handler):
    """Print our own warnings as `warning: ...` and drop those of other packages."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("nirtrans") and record.levelno >= logging.WARNING:
            print(f"warning: {' '.join(record.getMessage().split())}", file=sys.stderr)


def _speak_with_one_voice(debug: bool) -> None:
    """Turn logging and third-party warnings into our lines; --debug leaves them as they are."""
    if debug:
        return
    logging.getLogger().handlers = [_WarningLine()]
    warnings.showwarning = sys.unraisablehook = _ignore_warning
    sys.excepthook = _print_unless_undecodable


def _print_unless_undecodable(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an exception, but not rasterio's when GDAL quotes a damaged file in bytes that are no text: it goes on."""
    if not issubclass(kind, UnicodeDecodeError):
        sys.__excepthook__(kind, error, trace)


def _ignore_warning(*args: Any, **kwargs: Any) -> None:
    """Swallow a third-party warning."""
