"""Let the model call your functions.

    GEMINI_API_KEY=… python examples/function_calling.py
    python examples/function_calling.py --simulate

The session runs ``on_tool_call`` beside everything else: speech, interruptions and cancellations go on while a
function works. What it returns is sent to the model.
"""

import sys

import trio

from livebridge import Session
from livebridge.testing import connection
from livebridge.wire import ToolCall

MODEL = "gemini-3.1-flash-live-preview"

TIMER = {
    "name": "set_timer",
    "description": "Start a kitchen timer.",
    "parameters": {
        "type": "OBJECT",
        "properties": {"minutes": {"type": "INTEGER"}},
        "required": ["minutes"],
    },
}


async def answer(tool_call: ToolCall) -> list[dict[str, object]]:
    responses: list[dict[str, object]] = []
    for call in tool_call.function_calls or ():
        print(f"the model calls {call.name} with {dict(call.args or {})}")
        await trio.sleep(0.1)  # a real function asks somebody else
        result = {"result": f"{(call.args or {}).get('minutes')} minutes from now"}
        responses.append({"id": call.id, "name": call.name, "response": result})
    return responses


def taken_back(ids: list[str]) -> None:
    print(f"the model does not need {ids} any more")


async def main() -> None:
    async with (
        connection(simulate="--simulate" in sys.argv) as options,
        Session.start(
            model=MODEL,
            tools=[{"function_declarations": [TIMER]}],
            output_audio_transcription={},
            on_tool_call=answer,
            on_tool_call_cancellation=taken_back,
            **options,
        ) as session,
    ):
        turn = await session.ask("Please set a timer for 7 minutes.", timeout=60)
        print("the model says:", turn.text)


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
