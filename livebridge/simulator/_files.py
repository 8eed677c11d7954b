"""Loads brains and fault plans from the files a command line names."""

import importlib.util
from pathlib import Path

from livebridge.errors import ConfigError
from livebridge.simulator._brains import Brain
from livebridge.simulator._fault_file import load_faults
from livebridge.simulator._faults import Faults


def load_brain(path: str) -> Brain:
    """Run a Python file and take its ``brain``, or an instance of its class ``Brain``.

    Raises:
        ConfigError: It cannot be read, it raises, or it has no brain with a ``respond``.
    """
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        made: object = getattr(module, "Brain", None)
        brain: object = getattr(module, "brain", None) or (made() if callable(made) else None)
    except Exception as error:
        raise ConfigError(f"{path} raised {type(error).__name__}: {error}") from error
    if not isinstance(brain, Brain):
        raise ConfigError(f"{path} has no brain: give it brain = MyBrain(), with respond(conversation, cue)")
    return brain


def load_fault_file(path: str) -> Faults:
    """Read a fault plan from a TOML file.

    Raises:
        ConfigError: It cannot be read, or it is no fault plan.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the fault plan {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the fault plan {path} is no UTF-8: byte {error.start}") from error
    try:
        return load_faults(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
