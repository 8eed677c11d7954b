"""A session asks for its Google credentials the same way as it dials."""

import ssl

from livebridge.auth import VertexAi


class Credentials:
    """Looks like google-auth's, and notes the way that it is given."""

    token = None
    way = None

    @property
    def valid(self):
        return self.token is not None

    def refresh(self, request):
        self.way = request.keywords["way"]
        self.token = "ya29.token"


async def test_google_credentials_are_refreshed_through_the_proxy_of_the_session(live):
    credentials = Credentials()
    context = ssl.create_default_context()
    auth = VertexAi(project="p", credentials=credentials)
    async with live.session(auth=auth, proxy="http://proxy:3128", ssl_context=context) as session:
        assert session.status == "ready"
    assert credentials.way.proxy == "http://proxy:3128"
    assert credentials.way.ssl_context is context
