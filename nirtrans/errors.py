"""The exceptions of nirtrans and the exit code that each one carries.

NirtransError
+-- UserError (exit 2)          the input or the command is at fault; one line says what to do
|   +-- ConfigError             a key, value or file of the configuration      (ValueError)
|   +-- UnknownNameError        a name that no registry holds                  (LookupError)
|   +-- InputError              an argument, flag or target path               (ValueError)
|   +-- DataError               images, pairs or rasters that cannot be used   (ValueError)
|   +-- MissingExtraError       an optional package is not installed           (ImportError)
|   +-- CheckpointError         a weights or state file that cannot be trusted (ValueError)
+-- RunError (exit 3)           it failed while running
    +-- NonFiniteLoss           training produced NaN or infinity              (ArithmeticError)
    +-- OutOfMemory             a device or the host ran out of memory         (MemoryError)
    +-- IOFailure               a disk that is full, a source that breaks off  (OSError)
Terminated (exit 143)           SIGTERM, treated as Ctrl-C (exit 130) is         (KeyboardInterrupt)
"""


class NirtransError(Exception):
    """Root of all errors raised on purpose; `exit_code` is what a command ends with."""

    exit_code = 3

    def __str__(self) -> str:
        """Give the message on one line, whatever the builtin parent would print."""
        return " ".join(str(part) for part in self.args)


class UserError(NirtransError):
    """The user's input is at fault: expected, received, remedy, on one line."""

    exit_code = 2


class ConfigError(UserError, ValueError):
    """A configuration key, value or file is wrong."""


class UnknownNameError(UserError, LookupError):
    """A name is not registered; the message proposes the nearest one."""


class InputError(UserError, ValueError):
    """An argument, flag or target path is wrong."""


class DataError(UserError, ValueError):
    """Images, pairs or rasters cannot be used as they are."""


class MissingExtraError(UserError, ImportError):
    """An optional package is absent; the message names its extra."""


class CheckpointError(UserError, ValueError):
    """A weights file or training state is damaged, foreign or of another model."""


class RunError(NirtransError):
    """The command was right but failed while running."""


class NonFiniteLoss(RunError, ArithmeticError):
    """A loss became NaN or infinite too often; names phase, term and step."""


class OutOfMemory(RunError, MemoryError):
    """A device or the host ran out of memory; names what to make smaller."""


class IOFailure(RunError, OSError):
    """Reading or writing failed half-way; nothing stands under the final name."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: state is kept as for Ctrl-C, only the exit code differs."""

    exit_code = 143
