"""The public names of every public package, approved one by one.

``python tests/test_api.py --write`` writes the list anew; the difference is what has to be argued for.
"""

import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
APPROVED = Path(__file__).with_name("public_api.txt")


def public_modules():
    import livebridge  # noqa: PLC0415 - run as a script, the path has to be set first

    names = ["livebridge"]
    for module in pkgutil.walk_packages(livebridge.__path__, "livebridge."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            names.append(module.name)
    return sorted(names)


def public_names():
    found = []
    for name in public_modules():
        module = importlib.import_module(name)
        if hasattr(module, "__all__"):
            found += [f"{name}.{member}" for member in module.__all__]
        else:
            found += [
                f"{name}.{member}"
                for member, value in vars(module).items()
                if not member.startswith("_") and getattr(value, "__module__", None) == name
            ]
    return sorted(found)


def test_the_public_names_are_those_that_were_approved():
    assert public_names() == APPROVED.read_text(encoding="utf-8").splitlines()


def test_every_public_name_exists_and_is_listed_once():
    for name in public_modules():
        module = importlib.import_module(name)
        listed = getattr(module, "__all__", [])
        assert len(set(listed)) == len(listed), name
        assert all(hasattr(module, member) for member in listed), name


def test_every_public_package_tells_what_it_is():
    for name in public_modules():
        assert (importlib.import_module(name).__doc__ or "").strip(), name


if __name__ == "__main__" and "--write" in sys.argv:
    sys.path.insert(0, str(ROOT))
    APPROVED.write_text("\n".join(public_names()) + "\n", encoding="utf-8")
