"""16-bit samples stay whole wherever a stream of bytes is cut."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from livebridge.session._samples import WholeSamples


@given(st.binary(max_size=60), st.lists(st.integers(1, 7), max_size=30))
def test_however_a_stream_is_cut_it_comes_out_as_it_was_in_whole_samples(sound, cuts):
    samples, out, at = WholeSamples(), [], 0
    for size in [*cuts, len(sound)]:
        piece = sound[at : at + size]
        at += size
        if piece:
            out.append(samples.take(piece))
    given = [piece for piece in out if piece is not None]
    assert all(len(piece) % 2 == 0 for piece in given)
    assert b"".join(given) == sound[: len(sound) & ~1]


def test_whole_pieces_are_passed_on_without_a_copy():
    piece = b"\1\2\3\4"
    assert WholeSamples().take(piece) is piece


def test_what_is_carried_over_from_muted_sound_is_silence():
    samples = WholeSamples()
    assert samples.take(b"\1\2\3", silent=True) == b"\1\2"
    assert samples.take(b"\4\5\6") == b"\0\4\5\6"


def test_views_of_bytes_are_bytes_and_anything_else_is_passed_on():
    samples = WholeSamples()
    assert samples.take(memoryview(b"\1\2\3")) == b"\1\2"
    assert samples.take(bytearray(b"\4")) == b"\3\4"
    whole = array("h", [1, 2])
    assert samples.take(whole) is whole
    assert samples.take(b"") == b""
