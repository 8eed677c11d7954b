"""Ways to observe both libraries at one place: in a setup, in a message they send, in one they read."""

from __future__ import annotations

import json

from livebridge.errors import LivebridgeError

REFUSED = "refused"
ABSENT = "absent"
OFF = {"session_resumption": None, "context_window_compression": None}


def attempt(run):
    """What came of it, or that it was refused."""
    try:
        return run()
    except (ValueError, TypeError, LivebridgeError):
        return REFUSED


def at(value, path):
    for step in path.split(".") if path else ():
        value = value.get(step, ABSENT) if value != ABSENT else ABSENT
    return value


def setups(account, config, path, *, off=True, **options):
    """Observe one place in the setup."""

    def observe(lab):
        ours = {**(OFF if off else {}), **options}
        theirs = attempt(lambda: at(lab.theirs(account, config, **options)[0].setup, path))
        return theirs, attempt(lambda: at(lab.ours(account, config, **ours)[0].setup, path))

    return observe


def calls(account, verb, path, /, *args, **given):
    """Observe one place in a message that a verb sends."""

    def observe(lab):
        async def talk(session):
            await getattr(session, verb)(*args, **given)

        def theirs():
            named = dict(
                zip(["turns" if verb.endswith("content") else "function_responses"], args, strict=False)
            )

            async def their_talk(session):
                await getattr(session, verb)(**named, **given)

            return at(lab.theirs(account, None, their_talk)[0].messages[0], path)

        return attempt(theirs), attempt(lambda: at(lab.ours(account, None, talk)[0].messages[0], path))

    return observe


def readings(account, message, theirs_path, ours_path):
    """Observe how a message of the server is read; a second, plain one follows it."""

    def observe(lab):
        lab.script = [json.dumps(message).encode(), b'{"serverContent": {"turnComplete": true}}']
        try:
            theirs = attempt(lambda: read(lab.theirs(account, None, their_reading)[1], theirs_path))
            return theirs, read(lab.ours(account, None, our_reading)[1], ours_path)
        finally:
            lab.script = []

    async def their_reading(session):
        return await session._receive()

    async def our_reading(session):
        await session.receive()
        return await session.receive()

    return observe


def read(message, path):
    for step in path.split("."):
        message = getattr(message, step)
    return message


def plain_http(lab):
    def theirs():
        lab.theirs("gemini", base="http://{}")
        return "TLS"

    return attempt(theirs), attempt(lambda: lab.ours("gemini", base="http://{}", connect_attempts=1))


def token_header(lab):
    lines = [dial("token", api_version="v1alpha")[0] for dial in (lab.theirs, lab.ours)]
    return tuple("x-goog-api-key" in line.headers for line in lines)


def response_formats(lab):
    config = {"generation_config": {"response_format": [{"text": {"schema": {"type": "OBJECT"}}}]}}
    theirs = lab.theirs("gemini", config)[0].setup["generationConfig"]
    (made,) = theirs.get("response_format") or theirs["responseFormat"]
    (ours,) = lab.ours("gemini", config)[0].setup["generationConfig"]["responseFormat"]
    return made["text"], ours["text"].get("jsonSchema", ABSENT)


def detail(lab):
    used = [{"modality": "AUDIO", "tokenCount": 5}]
    message = {"usageMetadata": {"responseTokensDetails": used}}
    lab.script = [json.dumps(message).encode()]

    async def theirs(session):
        return (await session._receive()).usage_metadata.response_tokens_details

    async def ours(session):
        await session.receive()
        return (await session.receive()).usage_metadata.response_tokens_details[0].token_count

    try:
        return lab.theirs("vertex", None, theirs)[1], lab.ours("vertex", None, ours)[1]
    finally:
        lab.script = []


def survives(lab, message):
    """Whether the message after this one is still read."""
    lab.script = [json.dumps(message).encode(), b'{"serverContent": {"turnComplete": true}}']

    async def theirs(session):
        async for heard in session.receive():
            if heard.server_content:
                return bool(heard.server_content.turn_complete)
        return None

    async def ours(session):
        return (await session.wait_turn(5)) is not None

    try:
        return attempt(lambda: lab.theirs("gemini", None, theirs)[1]), lab.ours("gemini", None, ours)[1]
    finally:
        lab.script = []
