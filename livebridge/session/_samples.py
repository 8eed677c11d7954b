"""Keeps 16-bit samples whole where a stream of bytes is cut in the middle of one."""

from __future__ import annotations

import attrs


@attrs.define
class WholeSamples:
    """The odd byte between two pieces of one stream of 16-bit sound.

    The byte belongs to the stream, not to what is done with it: while the pieces are not sent it is carried over
    all the same, or every sample after them would be put together of halves of two. What is carried over from
    sound that must not be heard is silenced.
    """

    _odd: bytes = b""

    def take(self, piece: object, *, silent: bool = False) -> object | None:
        """The next piece with whole samples only.

        Args:
            piece: Bytes, or whatever else is sound; anything that is no bytes is passed on as it is.
            silent: The piece will not be sent.

        Returns:
            What there is to send; ``None`` if that is less than a sample.
        """
        if isinstance(piece, memoryview) and piece.itemsize == 1:
            piece = piece.tobytes()
        if not isinstance(piece, bytes | bytearray) or not piece:
            self._odd = b""
            return piece
        if not self._odd and len(piece) % 2 == 0:
            return piece
        data = self._odd + piece
        end = len(data) & ~1
        self._odd = b"\0" if silent and end < len(data) else bytes(data[end:])
        return data[:end] or None
