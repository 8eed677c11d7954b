"""The only module that knows how one scalar looks in JSON: base64, durations, 64-bit integers, numbers.

It follows the proto3 JSON mapping, whose readers are more tolerant than its writers: numbers may come as
strings, base64 in either alphabet and without padding, but each is written in one way only.

====================  =========================================  ==============================
in Python             read from                                  written as
====================  =========================================  ==============================
``bytes``             base64, standard or URL-safe, any padding  standard base64, padded
``Duration``          ``"9.5s"``                                 ``"9.5s"``
``Int64``             ``"12"``, ``12``, ``12.0``                 ``"12"``
``int``               ``12``, ``12.0``, ``"12"``                 ``12``
``float``             ``1.5``, ``1``, ``"1.5"``, ``"NaN"``       ``1.5``, ``"NaN"``
``bool``              ``true``, ``"true"``                       ``true``
====================  =========================================  ==============================
"""

import math
import re
from typing import Any, Final

import pybase64

from livebridge.wire._misfit import MisfitError

INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SECONDS: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?s")  # a Duration spans ±315,576,000,000 s
INT64_LIMIT: Final = 2**63
DURATION_LIMIT_SECONDS: Final = 315_576_000_000
NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
STANDARD_ALPHABET: Final = str.maketrans("-_", "+/")
BASE64_GROUP: Final = 4  # characters that carry three bytes


def bytes_from_base64(text: Any) -> bytes:
    """Decode base64 in either alphabet, padded or not.

    Raises:
        MisfitError: It is no text, or no base64.
    """
    if not isinstance(text, str):
        raise MisfitError("base64 text", text)
    data: bytes
    try:
        # the server writes standard base64 with padding: the fast path
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        try:
            data = pybase64.b64decode(_standard_base64(text), validate=True)
        except ValueError:
            raise MisfitError("base64 text", text) from None
    return data


def _standard_base64(text: str) -> str:
    body = text.rstrip("=")
    missing = -len(body) % BASE64_GROUP
    if len(text) - len(body) not in {0, missing}:
        raise MisfitError("base64 text with its padding in order", text)
    return body.translate(STANDARD_ALPHABET) + "=" * missing


def base64_from_bytes(data: Any) -> str:
    """Encode bytes as standard base64 with padding.

    Raises:
        MisfitError: They are no bytes.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise MisfitError("bytes", data)
    if isinstance(data, memoryview) and not data.c_contiguous:
        data = data.tobytes()  # every other sample, for example: the encoder wants them side by side
    text: str = pybase64.b64encode_as_string(data)
    return text


def read_text(value: Any) -> str:
    """Take text as it is.

    Raises:
        MisfitError: It is no text.
    """
    if isinstance(value, str):
        return value
    raise MisfitError("text", value)


def read_bool(value: Any) -> bool:
    """Take ``true`` and ``false``, also as strings.

    Raises:
        MisfitError: It is neither.
    """
    if isinstance(value, bool):
        return value
    if value == "true":
        return True
    if value == "false":
        return False
    raise MisfitError("true or false", value)


def read_int(value: Any) -> int:
    """Take an integer of up to 64 bits, also as a string or as a float without a fraction.

    Raises:
        MisfitError: It is no such integer.
    """
    number: int | None = None
    if isinstance(value, int):
        number = None if isinstance(value, bool) else value
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, str) and INTEGER.fullmatch(value):
        number = int(value)
    if number is None or not -INT64_LIMIT <= number < INT64_LIMIT:
        raise MisfitError("an integer of up to 64 bits", value)
    return number


def read_float(value: Any) -> float:
    """Take a number, also as a string; ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` are numbers.

    Raises:
        MisfitError: It is no number.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        if value in NON_FINITE:
            return NON_FINITE[value]
        if NUMBER.fullmatch(value):
            return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _float_from_int(value)
    raise MisfitError("a number", value)


def _float_from_int(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise MisfitError("a number of up to 64 bits", value) from None


def read_duration(value: Any) -> float:
    """Take a duration such as ``"9.5s"``.

    Returns:
        Seconds.

    Raises:
        MisfitError: It is no such string, or longer than ten thousand years.
    """
    if isinstance(value, str) and SECONDS.fullmatch(value):
        seconds = float(value[:-1])
        if abs(seconds) <= DURATION_LIMIT_SECONDS:
            return seconds
    raise MisfitError('a duration such as "9.5s"', value)


def write_duration(seconds: Any) -> str:
    """Write seconds as a duration with as many fractional digits as it needs, nine at most.

    Raises:
        MisfitError: It is no number of seconds, or more than ten thousand years.
    """
    # "not <=" rather than ">": NaN is no duration either
    if not _is_number(seconds) or not abs(seconds) <= DURATION_LIMIT_SECONDS:
        raise MisfitError("a number of seconds", seconds)
    text = f"{seconds:.9f}".rstrip("0").rstrip(".")
    return "0s" if text == "-0" else f"{text}s"


def write_text(value: Any) -> str:
    """Write text.

    Raises:
        MisfitError: It is no text.
    """
    if isinstance(value, str):
        return value
    raise MisfitError("text", value)


def write_bool(value: Any) -> bool:
    """Write a truth value.

    Raises:
        MisfitError: It is none.
    """
    if isinstance(value, bool):
        return value
    raise MisfitError("True or False", value)


def write_int(value: Any) -> int:
    """Write an integer.

    Raises:
        MisfitError: It is none, or it has more than 64 bits.
    """
    if isinstance(value, int) and not isinstance(value, bool) and -INT64_LIMIT <= value < INT64_LIMIT:
        return value
    raise MisfitError("an integer of up to 64 bits", value)


def write_int64(value: Any) -> str:
    """Write a 64-bit integer as the decimal string that JSON wants for it.

    Raises:
        MisfitError: It is no integer, or it has more than 64 bits.
    """
    return str(write_int(value))


def write_float(value: Any) -> float | str:
    """Write a number; the ones JSON does not have are written as strings.

    Raises:
        MisfitError: It is no number.
    """
    if not _is_number(value):
        raise MisfitError("a number", value)
    number = _float_from_int(value) if isinstance(value, int) else float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
