from livebridge import Session
from livebridge.cli._concierge import Concierge
from livebridge.cli._stage import weather
from livebridge.simulator import LiveSimulator

MODEL = "gemini-3.1-flash-live-preview"


async def spoken(*questions, **options):
    async with (
        LiveSimulator.serve(brain=Concierge()) as simulator,
        Session.start(
            model=MODEL, output_audio_transcription={}, **options, **simulator.connection
        ) as session,
    ):
        return [(await session.ask(question, timeout=10)).text for question in questions]


async def test_it_says_what_was_said_before():
    assert (await spoken("Blue is a colour.", "What did I say?"))[1] == "You said: Blue is a colour."


async def test_it_does_not_make_up_what_was_not_said():
    assert await spoken("What did I say?") == ["You have not said anything before."]


async def test_it_tells_a_weather_report_in_one_sentence():
    tool = {"function_declarations": [{"name": "get_weather"}]}
    told = await spoken(
        "How is the weather?",
        tools=[tool],
        on_tool_call=lambda call: [
            {"id": call.function_calls[0].id, "name": "get_weather", "response": weather("Rome")}
        ],
    )
    report = weather("Rome")
    assert told == [f"In Rome it is {report['sky']}, with {report['celsius']} degrees."]


async def test_other_results_and_other_words_are_left_to_the_rules():
    tool = {"function_declarations": [{"name": "get_time"}]}
    told = await spoken(
        "What time is it?",
        "Hello",
        tools=[tool],
        on_tool_call=lambda call: [
            {"id": call.function_calls[0].id, "name": "get_time", "response": {"result": "noon"}}
        ],
    )
    assert "noon" in told[0]
    assert told[1].startswith("Hello")
