from livebridge import Session
from livebridge.testing import connection


async def test_without_a_simulator_the_environment_decides():
    async with connection(simulate=False) as options:
        assert options == {}


async def test_with_one_a_session_finds_it():
    async with (
        connection(simulate=True) as options,
        Session.start(
            model="gemini-3.1-flash-live-preview", output_audio_transcription={}, **options
        ) as session,
    ):
        assert (await session.ask("Hello", timeout=10)).text.startswith("Hello")
