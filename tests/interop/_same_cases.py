"""Configurations, client messages and server messages, picked by hand, for both libraries."""

from __future__ import annotations

from google.genai import types

SENSITIVITY = {
    "start_of_speech_sensitivity": "START_SENSITIVITY_LOW",
    "end_of_speech_sensitivity": "end_sensitivity_high",
}
WEATHER = {
    "name": "get_weather",
    "description": "Current weather",
    "parameters": {
        "type": "object",
        "properties": {"some_city": {"type": "string", "max_length": 3}, "maxDays": {"type": "INTEGER"}},
        "required": ["some_city"],
    },
}
JSON_SCHEMA = {
    "type": "object",
    "properties": {"snake_case": {"type": ["string", "null"]}},
    "$defs": {"a_b": {}},
}


def voice(**fields):
    return {"speech_config": {"voice_config": fields}}


CONFIGS = {
    "nothing": {},
    "generation": {
        "response_modalities": ["AUDIO"],
        "temperature": 0,
        "top_p": 0.9,
        "top_k": 40,
        "max_output_tokens": 128,
        "media_resolution": "MEDIA_RESOLUTION_LOW",
        "seed": 0,
        "enable_affective_dialog": False,
        "thinking_config": {"thinking_budget": -1, "include_thoughts": False},
        "translation_config": {"target_language_code": "de", "echo_target_language": True},
    },
    "camelCase": {"responseModalities": ["TEXT"], "maxOutputTokens": 1, "systemInstruction": "x", "topK": 3},
    "modality in lower case": {"response_modalities": ["audio"]},
    "modality as their enumeration": {"response_modalities": [types.Modality.TEXT]},
    "their class": types.LiveConnectConfig(temperature=0.5, output_audio_transcription={}),
    "the guide's nested map": {
        "generation_config": {
            "response_modalities": ["AUDIO"],
            "temperature": 0.7,
            "top_p": 0.95,
            **voice(prebuilt_voice_config={"voice_name": "Kore"}),
        },
        "realtime_input_config": {"automatic_activity_detection": {"disabled": False, **SENSITIVITY}},
        "session_resumption": {},
        "context_window_compression": {"sliding_window": {"target_tokens": 16000}, "trigger_tokens": 24000},
        "input_audio_transcription": {},
        "output_audio_transcription": {},
    },
    "nested generation settings": {
        "generation_config": {
            "candidate_count": 1,
            "presence_penalty": 0.5,
            "frequency_penalty": 0,
            "stop_sequences": ["x"],
            "response_mime_type": "application/json",
            "audio_timestamp": True,
        }
    },
    "one value in both places": {"temperature": 0.5, "generation_config": {"temperature": 0.5}},
    "thinking level": {"thinking_config": {"thinking_level": "high"}},
    "a newer thinking level": {"thinking_config": {"thinking_level": "XHIGH"}},
    "an enumeration value nobody knows": {"thinking_config": {"thinking_level": "ENORMOUS"}},
    "voice": voice(prebuilt_voice_config={"voice_name": "Kore"}),
    "voice by name": voice(voice="Kore"),
    "voice and language": {
        "speech_config": {
            "language_code": "de-DE",
            "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
        }
    },
    "replicated voice": voice(
        replicated_voice_config={"mime_type": "audio/wav", "voice_sample_audio": b"\xff\xfe\xfd"}
    ),
    "consent to a voice": voice(replicated_voice_config={"consent_audio": b"\xff", "mime_type": "audio/wav"}),
    "signature of a consent": voice(replicated_voice_config={"voice_consent_signature": {"signature": "s"}}),
    "two speakers": {"speech_config": {"multi_speaker_voice_config": {"speaker_voice_configs": []}}},
    "instruction as text": {"system_instruction": "Be brief."},
    "instruction as paragraphs": {"system_instruction": ["Be brief.", "Be kind."]},
    "instruction as content": {"system_instruction": {"parts": [{"text": "Be brief."}]}},
    "instruction with a role": {"system_instruction": {"role": "system", "parts": [{"text": "Be brief."}]}},
    "instruction as their part": {"system_instruction": types.Part(text="Be brief.")},
    "instruction as their content": {"system_instruction": types.Content(parts=[types.Part(text="Hi")])},
    "instruction as a list of parts": {"system_instruction": [types.Part(text="a"), "b"]},
    "tool call in the instruction": {"system_instruction": {"parts": [{"tool_call": {"id": "1"}}]}},
    "partial call in the instruction": {
        "system_instruction": {"parts": [{"function_call": {"name": "f", "will_continue": True}}]}
    },
    "resumption": {"session_resumption": {}},
    "handle": {"session_resumption": {"handle": "h"}},
    "transparent resumption": {"session_resumption": {"transparent": True}},
    "opaque resumption": {"session_resumption": {"transparent": False}},
    "compression": {"context_window_compression": {"sliding_window": {}}},
    "compression in numbers": {
        "context_window_compression": {"trigger_tokens": 1000, "sliding_window": {"target_tokens": 500}}
    },
    "transcription": {
        "input_audio_transcription": {},
        "output_audio_transcription": {"language_codes": ["de"]},
    },
    "transcription in detail": {
        "input_audio_transcription": {
            "custom_vocabulary": ["trio"],
            "word_timestamp": True,
            "diarization": False,
            "language_hints": {"language_codes": ["de"]},
            "mode": "smart",
        }
    },
    "activity detection": {
        "realtime_input_config": {
            "automatic_activity_detection": {
                "prefix_padding_ms": 0,
                "silence_duration_ms": 100,
                **SENSITIVITY,
            },
            "activity_handling": "NO_INTERRUPTION",
            "turn_coverage": "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
            "interim_transcript_timestamp_enabled": True,
        }
    },
    "manual activity": {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}},
    "proactivity": {"proactivity": {"proactive_audio": True, "proactive_video": False}},
    "affective dialog": {"enable_affective_dialog": True},
    "history": {"history_config": {"initial_history_in_client_content": True}},
    "avatar": {
        "avatar_config": {"customized_avatar": {"image_mime_type": "image/png", "image_data": b"\xff\xfe"}}
    },
    "explicit signal": {"explicit_vad_signal": True},
    "no explicit signal": {"explicit_vad_signal": False},
    "safety": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "off"}]},
    "safety method": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "method": "SEVERITY"}]},
    "labels": {"labels": {"some_team": "x", "someOther": "y"}},
    "no tools": {"tools": []},
    "search": {"tools": [{"google_search": {}}]},
    "image search": {"tools": [{"googleSearch": {"searchTypes": {"imageSearch": {}}}}]},
    "excluded domains": {"tools": [{"google_search": {"exclude_domains": ["x"]}}]},
    "search in an interval": {
        "tools": [{"google_search": {"time_range_filter": {"start_time": "2026-01-02T03:04:05Z"}}}]
    },
    "function": {"tools": [{"function_declarations": [WEATHER]}]},
    "functions and other tools": {
        "tools": [
            {"function_declarations": [{**WEATHER, "behavior": "NON_BLOCKING"}], "code_execution": {}},
            {"google_search": {}},
            {"function_declarations": [{"name": "g", "parameters_json_schema": JSON_SCHEMA}]},
        ]
    },
    "answers of a function": {
        "tools": [
            {"function_declarations": [{"name": "f", "response": {"type": "NUMBER"}, "description": ""}]}
        ]
    },
    "answers of a function as JSON Schema": {
        "tools": [{"function_declarations": [{"name": "f", "response_json_schema": JSON_SCHEMA}]}]
    },
    "their tools": {
        "tools": [
            types.Tool(function_declarations=[types.FunctionDeclaration(name="f", behavior="NON_BLOCKING")]),
            types.Tool(google_maps=types.GoogleMaps(enable_widget=True)),
        ]
    },
    "URLs": {"tools": [{"url_context": {}}]},
    "computer": {"tools": [{"computer_use": {"environment": "ENVIRONMENT_BROWSER"}}]},
    "old search": {
        "tools": [{"google_search_retrieval": {"dynamic_retrieval_config": {"mode": "MODE_DYNAMIC"}}}]
    },
    "files": {"tools": [{"file_search": {"file_search_store_names": ["s"]}}]},
    "servers": {
        "tools": [{"mcp_servers": [{"name": "s", "streamable_http_transport": {"timeout": "1.5s"}}]}]
    },
    "retrieval": {"tools": [{"retrieval": {"vertex_rag_store": {"store_context": True}}}]},
    "enterprise search": {"tools": [{"enterprise_web_search": {}}]},
    "parallel search": {"tools": [{"parallel_ai_search": {"api_key": "k", "custom_configs": {"a_b": 1}}}]},
    "exa search": {"tools": [{"exa_ai_search": {"api_key": "k"}}]},
    "maps": {"tools": [{"google_maps": {"grounding_types": {"places": {}}}}]},
    "login for maps": {"tools": [{"google_maps": {"auth_config": {"auth_type": "OAUTH"}}}]},
    "key for maps": {"tools": [{"google_maps": {"auth_config": {"api_key": "k"}}}]},
    "civic answers": {"generation_config": {"enable_enhanced_civic_answers": True}},
    "selected model": {"generation_config": {"routing_config": {"manual_mode": {"model_name": "m"}}}},
    "unknown key": {"temprature": 1},
    "unknown nested key": {"thinking_config": {"thinking_bugdet": 1}},
    "text for a number": {"temperature": "warm"},
    "clash": {"temperature": 1, "generation_config": {"temperature": 2}},
    "header of its own": {"http_options": {"headers": {"x-mine": "1"}}},
}

PCM = types.Blob(data=b"\xff\xfe\xfd\xfc", mime_type="audio/pcm;rate=16000")
PNG = b"\x89PNG\r\n\x1a\n\xff"
ANSWER = {"id": "1", "name": "f", "response": {"snake_case": [1, {"camelCase": None}]}}
PART = {"inline_data": {"data": b"\xff\xfe", "mime_type": "image/png"}}


def content(turns=None, turn_complete=True):
    return ("client_content", {"turns": turns, "turn_complete": turn_complete})


def realtime(**given):
    return ("realtime_input", given)


def answered(responses):
    return ("tool_response", {"function_responses": responses})


def updated(**given):
    return ("context_update", given)


MESSAGES = {
    "turn complete": content(),
    "turn not complete": content(turn_complete=False),
    "no turns": content([]),
    "a turn": content({"role": "user", "parts": [{"text": "ünïcode ☃"}]}),
    "their turn": content(types.Content(role="user", parts=[types.Part(text="Hi")])),
    "a history": content(
        [
            {"role": "user", "parts": [{"text": "What is the capital of France?"}]},
            types.Content(role="model", parts=[types.Part(text="Paris"), types.Part(text="!", thought=True)]),
            {"role": "user", "parts": [{"text": "Of Germany?"}, PART]},
        ]
    ),
    "a turn without a role": content({"parts": [{"text": "Hi"}]}),
    "a turn of the system": content({"role": "system", "parts": [{"text": "Be brief."}]}),
    "parts of every kind": content(
        {
            "parts": [
                {"file_data": {"file_uri": "gs://x", "mime_type": "video/mp4", "display_name": "x"}},
                {"function_call": {"id": "1", "name": "f", "args": {"snake_case": {"camelCase": 1}}}},
                {"function_response": ANSWER},
                {"executable_code": {"code": "1", "language": "PYTHON"}},
                {"code_execution_result": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"text": "x", "video_metadata": {"start_offset": "1.5s", "fps": 2}},
                {"text": "x", "thought_signature": b"\xff\xfe", "media_resolution": {"num_tokens": 3}},
            ]
        }
    ),
    "a call in part": content({"parts": [{"function_call": {"name": "f", "will_continue": True}}]}),
    "arguments in part": content(
        {
            "parts": [
                {"function_call": {"name": "f", "partial_args": [{"json_path": "$.a", "string_value": "x"}]}}
            ]
        }
    ),
    "content of a wrong type": content(7),
    "their sound": realtime(audio=PCM),
    "sound": realtime(audio={"data": b"\x00\x00", "mime_type": "audio/pcm;rate=24000"}),
    "sound in camelCase": realtime(audio={"data": b"\x00\x00", "mimeType": "audio/pcm"}),
    "sound in base64": realtime(audio={"data": "__78_A==", "mime_type": "audio/pcm;rate=16000"}),
    "sound that is a picture": realtime(audio={"data": PNG, "mime_type": "image/png"}),
    "a picture": realtime(video={"data": PNG, "mime_type": "image/png"}),
    "a picture that is a film": realtime(video={"data": b"x", "mime_type": "video/mp4"}),
    "text": realtime(text="Hello"),
    "empty text": realtime(text=""),
    "activity begins": realtime(activity_start={}),
    "their activity begins": realtime(activity_start=types.ActivityStart()),
    "activity ends": realtime(activity_end=types.ActivityEnd()),
    "microphone off": realtime(audio_stream_end=True),
    "two at once": realtime(text="x", audio_stream_end=True),
    "nothing at all": realtime(),
    "an answer": answered(ANSWER),
    "their answer": answered(types.FunctionResponse(id="1", name="f", response={"output": 1})),
    "two answers": answered([ANSWER, {**ANSWER, "id": "2", "response": {"error": "no"}}]),
    "an answer that interrupts": answered({**ANSWER, "scheduling": "INTERRUPT"}),
    "an answer for later": answered({**ANSWER, "scheduling": "when_idle"}),
    "a silent answer": answered({**ANSWER, "scheduling": types.FunctionResponseScheduling.SILENT}),
    "an answer with more to come": answered({**ANSWER, "will_continue": True}),
    "an answer with a picture": answered({**ANSWER, "parts": [PART]}),
    "an answer with a file": answered({**ANSWER, "parts": [{"file_data": {"file_uri": "gs://x"}}]}),
    "an answer without id": answered({"name": "f", "response": {"output": 1}}),
    "no answer": answered([]),
    "an answer with an unknown key": answered({**ANSWER, "colour": 1}),
    "new instructions": updated(system_instruction="Be terse."),
    "new tools": updated(tools=[{"function_declarations": [WEATHER]}, {"google_search": {}}]),
    "no tools any more": updated(tools=[]),
    "new instructions and tools": updated(
        system_instruction={"role": "system", "parts": [{"text": "x"}]}, tools=[{"url_context": {}}]
    ),
    "nothing new": updated(),
    "new tools of the other backend": updated(tools=[{"retrieval": {}}]),
    "new tools of this backend only": updated(tools=[{"file_search": {"file_search_store_names": ["s"]}}]),
}

MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
"""Where the client says when the user speaks, and nowhere else, may it do so."""


def setup_for(talk):
    """The configuration in which all of this may be said."""
    return MANUAL if any("activity" in name for _, given in talk for name in given) else None


FRAMES = [
    {
        "serverContent": {
            "modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAD//w=="}}]}
        }
    },
    {
        "serverContent": {
            "modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAD__w"}}]}
        }
    },
    {
        "serverContent": {
            "modelTurn": {"role": "model", "parts": [{"text": "Hm", "thought": True}, {"text": "a"}]}
        }
    },
    {"serverContent": {"inputTranscription": {"text": "hi", "finished": True, "languageCode": "de"}}},
    {"serverContent": {"outputTranscription": {}, "interimInputTranscription": {"text": "h"}}},
    {
        "serverContent": {
            "inputTranscription": {"words": [{"word": "hi", "startOffset": "0.5s", "endOffset": "1s"}]}
        }
    },
    {"serverContent": {"generationComplete": True}},
    {"serverContent": {"interrupted": True}},
    {"serverContent": {"waitingForInput": True, "interactionStatus": "IN_PROGRESS"}},
    {
        "serverContent": {
            "turnComplete": True,
            "turnCompleteReason": "NEED_MORE_INPUT",
            "interactionStatus": "IDLE",
        }
    },
    {"serverContent": {"turnCompleteReason": "A_REASON_OF_TOMORROW"}},
    {"serverContent": {"turnComplete": True, "mood": "good"}, "weather": {"sunny": True}},
    {
        "serverContent": {
            "groundingMetadata": {"webSearchQueries": ["a"], "searchEntryPoint": {"sdkBlob": "-_8="}}
        }
    },
    {"serverContent": {"groundingMetadata": {"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]}}},
    {
        "serverContent": {
            "urlContextMetadata": {"urlMetadata": [{"urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR"}]}
        }
    },
    {
        "toolCall": {
            "functionCalls": [{"id": "1", "name": "f", "args": {"snake_key": [1, {"camelKey": None}]}}]
        }
    },
    {"toolCall": {"functionCalls": [{"name": "f"}]}},
    {"toolCallCancellation": {"ids": ["1", "2"]}},
    {
        "sessionResumptionUpdate": {
            "newHandle": "h",
            "resumable": True,
            "lastConsumedClientMessageIndex": "12",
        }
    },
    {"sessionResumptionUpdate": {"resumable": False, "lastConsumedClientMessageIndex": 12}},
    {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.5s"}},
    {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_EOS"}},
    {"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 8, "thoughtsTokenCount": 1}},
    {"usageMetadata": {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}]}},
    {"serverContent": {"turnComplete": True}, "usageMetadata": {"totalTokenCount": 3}, "toolCall": {}},
    {"goAway": {"timeLeft": "3599.000000001s"}},
    {"goAway": {}},
]
