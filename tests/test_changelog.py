import re
from pathlib import Path

import livebridge

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def test_the_newest_heading_is_the_version_of_the_package():
    headings = re.findall(r"^## \[(.+?)\]", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[0] == livebridge.__version__


def test_every_section_is_one_that_keep_a_changelog_knows():
    sections = re.findall(r"^### (.+)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections
    assert set(sections) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
