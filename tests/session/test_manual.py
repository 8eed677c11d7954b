"""The manual that ``help()`` shows says what the code does."""

import re

import attrs
import pytest

from livebridge.session import Options, Session

ENTRY = re.compile(r"^        (\w+): ", re.MULTILINE)


def entries():
    """What the docstring says of each option."""
    text = Options.__doc__.partition("Attributes:\n")[2]
    parts = ENTRY.split(text)[1:]
    return {name: " ".join(said.split()) for name, said in zip(parts[::2], parts[1::2], strict=True)}


def spellings(default):
    """How a plain default may be written."""
    if isinstance(default, bool) or default is None:
        return [f"``{default}``", "none"]
    if isinstance(default, str):
        return [f"``{default}``", f'``"{default}"``']
    forms = [f"{default:g} s", f"{default}"]
    if isinstance(default, int) and default % 1024 == 0:
        forms += [f"{default // 2**20} MiB", f"{default // 2**10} KiB"]
    return forms


PLAIN = [
    field
    for field in attrs.fields(Options)
    if isinstance(field.default, bool | int | float | str) and field.name != "resume_key"
]


@pytest.mark.parametrize("field", PLAIN, ids=lambda field: field.name)
def test_an_option_is_documented_with_its_default(field):
    said = re.search(r"Default: ([^.]*(?:\.\d[^.]*)?)\.", entries()[field.name])
    assert said is not None
    assert said[1] in spellings(field.default)


def test_options_and_manual_are_about_the_same_names():
    assert set(entries()) == {field.name for field in attrs.fields(Options)}


def test_the_manual_refers_to_names_that_users_have():
    assert "`Verbs`" not in "".join(
        getattr(Session, name).__doc__ or "" for name in dir(Session) if not name.startswith("_")
    )
    assert "SessionClosedError" in Session.__doc__
