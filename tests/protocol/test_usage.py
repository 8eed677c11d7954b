"""Token counts: normalised, added, and summed over turns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebridge import wire
from livebridge.protocol._usage import Usage, UsageMeter


def detail(modality, count):
    return wire.ModalityTokenCount(modality=modality, token_count=count)


def report(prompt=None, output=None, total=None, **more):
    return wire.UsageMetadata(
        prompt_token_count=prompt, response_token_count=output, total_token_count=total, **more
    )


def test_both_backends_names_for_the_answer_are_aliases():
    usage = Usage.from_wire(report(10, 5, response_tokens_details=[detail(wire.MediaModality.AUDIO, 5)]))
    assert usage.output_token_count == usage.response_token_count == usage.candidates_token_count == 5
    assert usage.output_tokens_details == usage.response_tokens_details == usage.candidates_tokens_details
    assert usage.output_by_modality == {"AUDIO": 5}


def test_a_vertex_report_counts_like_a_gemini_report():
    plain = {"promptTokenCount": 3, "totalTokenCount": 7}
    gemini = wire.from_plain(wire.UsageMetadata, {**plain, "responseTokenCount": 4})
    vertex = wire.from_plain(wire.UsageMetadata, {**plain, "candidatesTokenCount": 4})
    assert Usage.from_wire(gemini) == Usage.from_wire(vertex)


def test_a_missing_total_is_the_sum_of_its_parts():
    usage = Usage.from_wire(report(10, 5, thoughts_token_count=2, tool_use_prompt_token_count=1))
    assert usage.total_token_count == 18


def test_the_servers_total_is_not_corrected():
    assert Usage.from_wire(report(10, 5, total=99)).total_token_count == 99


def test_a_report_without_counts_is_zero():
    assert Usage.from_wire(wire.UsageMetadata()) == Usage()


def test_details_are_added_modality_by_modality():
    first = Usage(prompt_tokens_details=(detail("TEXT", 1), detail("AUDIO", 2)), service_tier="flex")
    second = Usage(prompt_tokens_details=(detail("AUDIO", 3), detail("SMELL", 4), detail(None, None)))
    both = first + second
    assert both.prompt_by_modality == {"TEXT": 1, "AUDIO": 5, "SMELL": 4, "MODALITY_UNSPECIFIED": 0}
    assert both.prompt_tokens_details[0].modality is wire.MediaModality.TEXT
    assert both.service_tier == "flex"


def test_only_usage_can_be_added_to_usage():
    with pytest.raises(TypeError):
        Usage() + 1


counts = st.integers(min_value=0, max_value=10**6)
usages = st.builds(
    Usage,
    prompt_token_count=counts,
    output_token_count=counts,
    thoughts_token_count=counts,
    total_token_count=counts,
    cached_content_token_count=counts,
    tool_use_prompt_token_count=counts,
    output_tokens_details=st.lists(
        st.builds(
            wire.ModalityTokenCount, modality=st.sampled_from(list(wire.MediaModality)), token_count=counts
        ),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=50)
@given(usages, usages, usages)
def test_addition_is_associative_and_loses_nothing(one, two, three):
    assert (one + two) + three == one + (two + three)
    total = (one + two).output_by_modality
    assert sum(total.values()) == sum(d.token_count for u in (one, two) for d in u.output_tokens_details)


def test_a_session_costs_the_sum_of_its_turns():
    meter = UsageMeter()
    for prompt in (10, 25):
        meter.report(report(prompt, 5))
        meter.end_turn()
    meter.report(report(40))
    assert meter.total.prompt_token_count == 75
    assert meter.total.output_token_count == 10


def test_a_cumulative_report_replaces_the_one_before_it():
    meter = UsageMeter()
    meter.report(report(10, 1))
    meter.report(report(10, 1))
    meter.report(report(10, 6))
    assert meter.end_turn() == Usage.from_wire(report(10, 6))
    assert meter.total.total_token_count == 16


def test_a_repeat_behind_the_end_of_a_turn_is_not_counted_twice():
    meter = UsageMeter()
    meter.report(report(10, 5))
    meter.end_turn()
    meter.report(report(10, 5), trailing=True)
    meter.report(report(10, 7), trailing=True)
    assert meter.total.total_token_count == 17


def test_a_trailing_report_that_shrinks_belongs_to_a_new_turn():
    meter = UsageMeter()
    meter.report(report(10, 5))
    meter.end_turn()
    meter.report(report(12, 0), trailing=True)
    assert meter.total.total_token_count == 27


def test_the_very_first_report_may_come_before_anything_else():
    meter = UsageMeter()
    meter.report(report(3), trailing=True)
    assert meter.total.total_token_count == 3


def test_a_turn_without_a_report_has_no_usage():
    meter = UsageMeter()
    assert meter.end_turn() is None
    assert meter.total == Usage()


def test_a_repeat_without_details_leaves_the_known_ones():
    meter = UsageMeter()
    meter.report(report(5, 1, prompt_tokens_details=[detail("TEXT", 5)], service_tier="flex"))
    meter.report(report(5, 1))
    ended = meter.end_turn(final=True)
    assert ended.prompt_by_modality == {"TEXT": 5}
    meter.report(report(5, 1), trailing=True)
    assert meter.total == ended
    assert meter.total.service_tier == "flex"


def test_more_after_the_final_report_of_a_turn_is_the_next_turns():
    meter = UsageMeter()
    meter.report(report(5))
    meter.end_turn(final=True)
    meter.report(report(9), trailing=True)
    assert meter.total.total_token_count == 14
    meter.report(report(10), trailing=True)
    assert meter.open == Usage.from_wire(report(10))
    assert meter.total.total_token_count == 15


def test_the_only_report_of_a_turn_may_come_behind_its_end():
    meter = UsageMeter()
    meter.end_turn()
    meter.report(report(5), trailing=True)
    meter.report(report(7))
    assert meter.total.total_token_count == 12
