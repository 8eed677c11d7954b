import pytest
from google.genai import errors, types

from livebridge.simulator import Call, Rules, Script

TEXT_MODEL = "gemini-live-2.5-flash-preview"
AUDIO_MODEL = "gemini-3.1-flash-live-preview"
TEXT = {"response_modalities": ["TEXT"]}


def said(messages):
    return "".join(message.text for message in messages if message.server_content and message.text)


def user(text):
    return types.Content(role="user", parts=[types.Part(text=text)])


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
async def test_a_text_conversation_remembers_what_was_said(serve, make_client, in_thread, take_turn, vertex):
    async def talk(client):
        async with client.aio.live.connect(model=TEXT_MODEL, config=TEXT) as session:
            await session.send_client_content(turns=user("Hello, my name is Alice."))
            first = await take_turn(session)
            await session.send_client_content(turns=user("What is my name?"))
            second = await take_turn(session)
            return session.session_id, first, second

    async with serve(brain=Rules()) as simulator:
        session_id, first, second = await in_thread(talk, make_client(simulator, vertex=vertex))
        (conversation,) = simulator.conversations

    assert said(first) == "Nice to meet you, Alice."
    assert said(second) == "Your name is Alice."
    assert session_id == (conversation.id if vertex else None)
    assert second[-1].server_content.turn_complete
    assert second[-2].server_content.generation_complete
    usage = second[-1].usage_metadata
    assert usage.response_token_count == 5
    assert usage.total_token_count > usage.prompt_token_count > 0
    assert conversation.vertex is vertex
    assert conversation.heard.user_texts == ["Hello, my name is Alice.", "What is my name?"]


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
async def test_a_tool_is_called_and_its_result_is_spoken(serve, make_client, in_thread, take_turn, vertex):
    def get_weather(city: str) -> str:
        """Tell the weather in a city."""
        return f"sunny in {city}"

    async def talk(client):
        config = {**TEXT, "tools": [get_weather]}
        async with client.aio.live.connect(model=TEXT_MODEL, config=config) as session:
            await session.send_client_content(turns=user("What is the weather in Paris?"))
            async for message in session.receive():
                if message.tool_call:
                    (call,) = message.tool_call.function_calls
                    break
            answer = types.FunctionResponse(
                id=call.id, name=call.name, response={"output": get_weather(**call.args)}
            )
            await session.send_tool_response(function_responses=answer)
            return call, await take_turn(session)

    async with serve(brain=Rules()) as simulator:
        call, turn = await in_thread(talk, make_client(simulator, vertex=vertex))
        (result,) = simulator.conversations[0].heard.tool_results

    assert (call.name, call.args) == ("get_weather", {"city": "Paris"})
    assert call.id.startswith("function-call-") is not vertex
    assert said(turn) == "Get weather says sunny in Paris."
    assert result.accepted
    assert result.response == {"output": "sunny in Paris"}


async def test_parallel_calls_come_in_one_message_and_both_answers_count(
    serve, make_client, in_thread, take_turn
):
    brain = Script([[Call("one", {"n": 1}), Call("two", {"n": 2})], "Done."])

    async def talk(client):
        async with client.aio.live.connect(model=TEXT_MODEL, config=TEXT) as session:
            await session.send_client_content(turns=user("go"))
            async for message in session.receive():
                if message.tool_call:
                    calls = message.tool_call.function_calls
                    break
            responses = [
                types.FunctionResponse(id=call.id, name=call.name, response={"output": 1}) for call in calls
            ]
            await session.send_tool_response(function_responses=responses)
            return calls, await take_turn(session)

    async with serve(brain=brain) as simulator:
        calls, turn = await in_thread(talk, make_client(simulator))

    assert [call.name for call in calls] == ["one", "two"]
    assert said(turn) == "Done."


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
async def test_a_conversation_goes_on_over_a_second_connection(
    serve, make_client, in_thread, take_turn, vertex
):
    async def until_handle(session):
        while True:
            async for message in session.receive():
                update = message.session_resumption_update
                if update and update.resumable:
                    return update.new_handle

    async def talk(client):
        config = {**TEXT, "session_resumption": {}}
        async with client.aio.live.connect(model=TEXT_MODEL, config=config) as session:
            await session.send_client_content(turns=user("My name is Alice."))
            await take_turn(session)
            # receive() ends with the turn; the update that follows it needs another one
            await session.send_realtime_input(text="Thanks!")
            handle = await until_handle(session)
        config = {**TEXT, "session_resumption": {"handle": handle}}
        async with client.aio.live.connect(model=TEXT_MODEL, config=config) as session:
            await session.send_client_content(turns=user("What is my name?"))
            return await take_turn(session)

    async with serve(brain=Rules()) as simulator:
        turn = await in_thread(talk, make_client(simulator, vertex=vertex))
        (conversation,) = simulator.conversations

    assert said(turn) == "Your name is Alice."
    assert [connection.resumed for connection in conversation.connections] == [False, True]


async def test_a_wrong_key_a_wrong_model_and_a_stale_handle_are_refused(serve, make_client, in_thread):
    async def dial(client, model, config):
        with pytest.raises(errors.APIError) as caught:
            async with client.aio.live.connect(model=model, config=config):
                pass
        return caught.value.code, caught.value.details

    async with serve() as simulator:
        client = make_client(simulator)
        unknown = await in_thread(dial, client, "gemini-9", TEXT)
        stale = await in_thread(dial, client, TEXT_MODEL, {**TEXT, "session_resumption": {"handle": "x"}})
        modality = await in_thread(dial, client, AUDIO_MODEL, TEXT)
        stranger = make_client(simulator, headers={"x-goog-api-key": "wrong"})
        key = await in_thread(dial, stranger, TEXT_MODEL, TEXT)

    assert unknown[0] == 1008
    assert unknown[1].startswith("models/gemini-9 is not found for API version v1")
    assert stale == (1008, "BidiGenerateContent session not found")
    assert modality[0] == 1007
    assert "response modalities (TEXT)" in modality[1]
    assert key == (1007, "API key not valid. Please pass a valid API key.")


async def test_an_ephemeral_token_opens_one_session_with_its_constraints(
    serve, make_client, in_thread, take_turn
):
    async def make_token(client):
        with pytest.warns(errors.ExperimentalWarning):
            token = await client.aio.auth_tokens.create(
                config={"uses": 1, "live_connect_constraints": {"model": TEXT_MODEL, "config": TEXT}}
            )
        return token.name

    async def talk(client):
        async with client.aio.live.connect(model="gemini-9", config={}) as session:
            await session.send_client_content(turns=user("Hello"))
            first = await take_turn(session)
        with pytest.raises(errors.APIError) as caught:
            async with client.aio.live.connect(model="gemini-9", config={}):
                pass
        return first, caught.value.code

    async with serve(brain=Rules()) as simulator:
        name = await in_thread(make_token, make_client(simulator, api_version="v1alpha"))
        holder = make_client(simulator, api_version="v1alpha", api_key=name)
        with pytest.warns(errors.ExperimentalWarning):
            first, second_code = await in_thread(talk, holder)

    assert said(first).startswith("Hello!")
    assert second_code == 1011
