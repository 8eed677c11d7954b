"""The tables for those who come from elsewhere name only what exists, and a test shows each line at work."""

import inspect
import re
from pathlib import Path

import pytest

import livebridge
from livebridge import auth, errors, protocol, rest, session, telemetry, wire
from livebridge.protocol import CALLBACKS, GoAwayInfo, ResumptionUpdate, Transcript, Turn, Usage
from livebridge.session._options import known_options

TESTS = Path(__file__).parent
HEADINGS = ("### From google-genai", "### From the Elixir original")
HOMES = (livebridge, session, rest, protocol, auth, errors, wire)
INSTANCES = {
    "session": livebridge.Session,
    "message": wire.ServerMessage,
    "transcript": Transcript,
    "update": ResumptionUpdate,
    "info": GoAwayInfo,
    "usage": Usage,
    "turn": Turn,
    "telemetry": telemetry,
}
"""What the words in the tables stand for."""

FIELDS = {"code", "reason", "http_options", "scheduling"}
"""Words that are attributes of what the line names, and no names by themselves."""

SAME = "interop/test_same_as_google_genai.py"
PROOFS = {
    "client.aio.live.connect": f"{SAME}::test_a_configuration_makes_the_same_setup_or_is_refused_by_both",
    "genai.Client(api_key=…)": f"{SAME}::test_both_dial_the_same_path_with_the_same_credential_and_model",
    "genai.Client(vertexai=True, project": "session/test_options_of_others.py::test_vertex_takes_project_and",
    "genai.Client(vertexai=True, api_key": f"{SAME}::test_both_dial_the_same_path_with_the_same_credential_and",
    'genai.Client(api_key="auth_tokens': f"{SAME}::test_both_dial_the_same_path_with_the_same_credential_and_model",
    "HttpOptions": f"{SAME}::test_both_dial_the_same_path_with_the_same_credential_and_model",
    "async_client_args": f"{SAME}::test_a_configuration_makes_the_same_setup_or_is_refused_by_both",
    "LiveConnectConfig": "session/test_options_of_others.py::test_every_way_to_write_a_configuration_means_the",
    "session.send_client_content": f"{SAME}::test_a_call_puts_the_same_message_on_the_wire_or_is_refused_by_both",
    "session.send_realtime_input": f"{SAME}::test_a_call_puts_the_same_message_on_the_wire_or_is_refused_by_both",
    "send_realtime_input(activity_start": "session/test_sends.py::test_the_block_of_activity_sends_start_and_end",
    "session.send_tool_response": f"{SAME}::test_a_call_puts_the_same_message_on_the_wire_or_is_refused_by_both",
    "callables in": "session/test_tool_execution.py::test_functions_raw_declarations_and_server_tools_go_together",
    "session.send_context_update": f"{SAME}::test_a_call_puts_the_same_message_on_the_wire_or_is_refused_by_both",
    "async for message in session.receive": "session/test_pulling.py::test_the_message_stream_outlives",
    "message.text": f"{SAME}::test_a_message_of_the_server_is_read_alike_by_both",
    "message.server_content.input_transcription": "session/test_dispatch.py::test_order_inside_a_message_and",
    "session_resumption={": "session/test_fault_matrix_connected.py::test_a_ready_connection_that_is_cut_off_is",
    "go_away": "session/test_fault_matrix_connected.py::test_a_silent_server_is_left_before_its_go_away_deadline",
    "errors.APIError": "session/test_starting.py::test_the_first_setup_that_is_refused_is_raised_raw_with_code",
    "session.session_id": "session/test_dispatch.py::test_the_session_id_is_that_of_the_connection",
    "session.close()": "session/test_close.py::test_invariant_30_close_delivers_what_was_accepted_and_calls_on",
    "client.aio.models.list": "rest/test_models.py::test_all_pages_are_listed_and_junk_is_skipped",
    "client.aio.auth_tokens.create": "session/test_tokens.py::test_every_form_of_constraints_makes_the_same_setup",
    "Session.start_link(opts)` and": "session/test_starting.py::test_with_connect_false_the_session_is",
    "Session.start_link(opts)` under": "session/test_starting.py::test_start_link_returns_a_ready_session_in_a",
    "a supervisor child": "session/test_supervised.py::test_a_bot_that_its_own_code_broke_comes_back_in_the_same",
    "auth: :gemini": "session/test_options_of_others.py::test_every_option_of_the_elixir_guide_reaches_the_server",
    "api_key:": "session/test_options_of_others.py::test_every_option_of_the_elixir_guide_reaches_the_server",
    "generation_config:": "session/test_options_of_others.py::test_every_option_of_the_elixir_guide_reaches_the",
    "resume_handle:": "session/test_resumption.py::test_a_handle_from_an_earlier_process_is_used_for_the_first",
    "on_message:": "session/test_dispatch.py::test_order_inside_a_message_and_every_field_counts",
    "on_error:": "session/test_callbacks.py::test_invariant_33_a_raising_callback_is_reported_and_dispatch_goes_on",
    "on_tool_call:": "session/test_tools.py::test_every_form_of_return_value_is_one_answer",
    "on_tool_call_cancellation:": "session/test_tool_cancellation.py::test_invariant_25_a_cancelled_call_is_not",
    "on_transcription:": "protocol/test_events.py::test_every_part_of_a_message_counts_and_in_this_order",
    "on_voice_activity:": "protocol/test_events.py::test_an_explicit_signal_is_voice_activity",
    "on_session_resumption:": "protocol/test_events.py::test_an_update_brings_the_servers_position",
    "on_go_away:": "session/test_dispatch.py::test_a_message_with_a_go_away_and_a_tool_call_reaches_both_callbacks",
    "Session.send_text": "session/test_sends.py::test_send_text_takes_the_channel_that_the_model_takes_text_from",
    "Session.send_client_content": "protocol/test_inputs.py::test_words_come_in_many_forms",
    "Session.send_realtime_input": "protocol/test_inputs.py::test_sound_comes_in_many_forms",
    "Session.send_tool_response": "protocol/test_inputs_of_tools.py::test_scheduling_is_written_in_any_case",
    "Session.get_session_handle": "session/test_resumption.py::test_invariant_27_the_last_handle_is_the_one_that",
    "Session.status": "session/test_starting.py::test_with_connect_false_the_session_is_disconnected_until_connect",
    "Session.close": "session/test_close.py::test_invariant_30_concurrent_and_repeated_closes_are_one",
    "UsageMetadata": "protocol/test_usage.py::test_both_backends_names_for_the_answer_are_aliases",
    "content.turn_complete_reason": "protocol/test_turns.py::test_a_turn_holds_everything_that_was_in_its_messages",
    "Models.resolve": "rest/test_models.py::test_the_first_available_candidate_is_taken",
    "live_connect_constraints:": "session/test_tokens.py::test_every_form_of_constraints_makes_the_same_setup",
    ":telemetry.attach": "telemetry/test_attachments.py::test_every_name_of_the_original_exists",
}
"""How the left side of a line begins, and how the name of the test begins that shows its right side at work."""


def lines():
    """The lines of both tables: left side, right side."""
    readme = (TESTS.parent / "README.md").read_text()
    for heading in HEADINGS:
        section = re.split(r"^#{1,3} ", readme.partition(f"{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[
            0
        ]
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("| ") and len(cells) == 2:
                yield cells[0], cells[1]


BODY = [line for line in lines() if line[1] != "livebridge"]


def code(cell):
    return re.findall(r"`([^`]+)`", cell)


def find(path):
    """What a dotted name stands for; raises if it stands for nothing."""
    first, *rest = path.split(".")
    if first in INSTANCES:
        found = INSTANCES[first]
    else:
        found = next((getattr(home, first) for home in HOMES if hasattr(home, first)), None)
        assert found is not None, f"there is no {first}"
    for name in rest:
        fields = {field.name for field in getattr(found, "__attrs_attrs__", ())}
        assert name in fields or hasattr(found, name), f"there is no {path}"
        found = getattr(found, name, None)
    return found


def takes(function, argument):
    """Whether a function, or a session (whose options are no parameters), takes an argument."""
    parameters = inspect.signature(function).parameters
    if argument in parameters:
        return True
    return any(each.kind is each.VAR_KEYWORD for each in parameters.values()) and argument in known_options()


def check(span):
    """See that everything in a piece of code exists."""
    called = re.match(r"(\w+)=([\w.]+)?\(?", span)
    if re.fullmatch(r"\w+=.*", span):
        assert called[1] in known_options(), f"there is no option {called[1]}"
        value = span.partition("=")[2]
        if value and "(" in value:
            check(value)
        return
    if span in CALLBACKS or span in FIELDS:
        return
    found = find(re.match(r"[\w.]+", span)[0])
    for argument in re.findall(r"(\w+)=", span.partition("(")[2]):
        assert takes(found, argument), f"{span} takes no {argument}"


def test_both_tables_are_there():
    assert len(BODY) >= 50


@pytest.mark.parametrize(("left", "right"), BODY, ids=[left for left, _ in BODY])
def test_what_a_line_names_exists(left, right):
    spans = code(right)
    assert spans, f"{left} leads nowhere"
    for span in spans:
        check(span)


@pytest.mark.parametrize("left", [left for left, _ in BODY])
def test_a_line_is_shown_at_work_by_a_test(left):
    proofs = [proof for start, proof in PROOFS.items() if left.lstrip("`").startswith(start)]
    assert proofs, f"no test is named for {left}"
    file, _, name = max(proofs, key=len).partition("::")
    assert re.search(rf"^(async )?def {name}\w*\(", (TESTS / file).read_text(), re.MULTILINE), (
        f"{name} is gone"
    )
