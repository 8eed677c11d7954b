"""One tree of errors: everything that is raised on purpose stands in it, and its branches are at the top level."""

import importlib
import pkgutil

import livebridge
from livebridge import errors


def subclasses(cls):
    for each in cls.__subclasses__():
        yield each
        yield from subclasses(each)


def ours():
    for module in pkgutil.walk_packages(livebridge.__path__, "livebridge."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [cls for cls in subclasses(errors.LivebridgeError) if cls.__module__.startswith("livebridge")]


def test_every_branch_of_the_tree_is_public_and_at_the_top_level():
    branches = [cls for cls in ours() if cls.__bases__[0] is errors.LivebridgeError]
    assert {cls.__module__ for cls in branches} == {"livebridge.errors"}
    assert {cls.__name__ for cls in branches} <= set(livebridge.__all__)
    assert all(getattr(livebridge, cls.__name__) is cls for cls in branches)


def test_every_public_error_is_in_the_drawing_of_the_tree():
    drawn = {line.split()[-1] for line in _drawing()}
    public = {cls.__name__ for cls in ours() if cls.__module__ == "livebridge.errors"}
    assert drawn == public | {"LivebridgeError"}


def _drawing():
    """The part of each line up to the name of its class."""
    tree = errors.__doc__.partition("::")[2]
    for line in tree.splitlines():
        words = line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()
        if words:
            yield words[0]
