"""Reads a fault plan from TOML."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from typing import Final, get_args

import attrs

from livebridge.errors import ConfigError
from livebridge.simulator._faults import Fault, Faults, What

_WORDS: Final = re.compile(r"(?<!^)(?=[A-Z])")
_WHEN: Final = frozenset(attrs.fields_dict(Fault)) - {"what"}
_KINDS: Final[Mapping[str, type[What]]] = {
    _WORDS.sub("_", kind.__name__).lower(): kind for kind in get_args(What)
}


def load_faults(text: str) -> Faults:
    """A plan from the text of a TOML file.

    ::

        seed = 7

        [[fault]]
        do = "refuse_upgrade"     # the class's name in snake_case
        status = 429
        retry_after = 3
        dial = 1

        [[fault]]
        do = "close"
        code = 1011
        message = "toolCall"      # when, as in `Fault`
        times = 0                 # every time

    Raises:
        ConfigError: It is no TOML, or something in it is no fault.
    """
    try:
        plain: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the fault plan is no TOML: {error}") from error
    unknown = sorted(set(plain) - {"seed", "fault"})
    if unknown:
        raise ConfigError(f"a fault plan has seed and [[fault]], not {unknown[0]}")
    seed = plain.get("seed")
    entries = plain.get("fault", [])
    if not isinstance(entries, list) or not (seed is None or type(seed) is int):
        raise ConfigError("a fault plan has a number as seed and a list of tables as fault")
    return Faults(*(_fault(number, entry) for number, entry in enumerate(entries, start=1)), seed=seed)


def _fault(number: int, entry: object) -> Fault:
    if not isinstance(entry, Mapping) or "do" not in entry:
        raise ConfigError(f'fault {number} does not say what to do: do = "close", for example')
    name = str(entry["do"])
    kind = _KINDS.get(name)
    if kind is None:
        raise ConfigError(f"fault {number}: {_unknown(name, _KINDS)}")
    what_fields = attrs.fields_dict(kind)
    when = {key: value for key, value in entry.items() if key in _WHEN}
    what = {key: value for key, value in entry.items() if key not in _WHEN and key != "do"}
    for key in what:
        if key not in what_fields:
            raise ConfigError(
                f"fault {number} ({name}): {_unknown(key, {**what_fields, **dict.fromkeys(_WHEN)})}"
            )
    try:
        return Fault(what=kind(**what), **when)
    except ConfigError as error:
        raise ConfigError(f"fault {number} ({name}): {error}") from error


def _unknown(name: str, known: Mapping[str, object]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(sorted(known))}"
    return f"unknown {name}; {hint}"
