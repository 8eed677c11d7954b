import hypothesis
import pytest

# An example that takes long proves that the machine is busy, and nothing about livebridge.
hypothesis.settings.register_profile("livebridge", deadline=None)
hypothesis.settings.load_profile("livebridge")

# What decides about credentials, servers, versions and proxies of a client that is told nothing else.
DECIDES = (
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_API_VERSION",
    "GOOGLE_GENAI_USE_ENTERPRISE",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_VERTEX_BASE_URL",
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)


def pytest_collection_modifyitems(config, items):
    """Soak tests run for minutes: only when they are asked for with ``-m soak``."""
    if config.option.markexpr:
        return
    soak = [item for item in items if item.get_closest_marker("soak")]
    if soak:
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    """Nothing in the environment of whoever runs a test decides about it."""
    for name in DECIDES:
        monkeypatch.delenv(name, raising=False)
