import ssl

import pytest

from livebridge.errors import ConnectError
from livebridge.transport import default_ssl_context, proxy_for


def test_the_proxy_of_a_connection_can_be_told_without_opening_it():
    environ = {"https_proxy": "http://proxy:3128", "no_proxy": "internal.example"}
    assert proxy_for("wss://example.org/ws", environ=environ) == "http://proxy:3128"
    assert proxy_for("wss://internal.example/ws", environ=environ) is None
    assert proxy_for("ws://example.org/ws", environ=environ) is None
    with pytest.raises(ConnectError, match="its scheme is not one of ws, wss"):
        proxy_for("https://example.org", environ=environ)


def test_the_context_of_a_connection_verifies_and_is_made_once():
    assert default_ssl_context().verify_mode is ssl.CERT_REQUIRED
    assert default_ssl_context() is default_ssl_context()
