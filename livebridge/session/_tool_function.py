"""A Python function as a tool: what is declared to the model, and how a call's arguments become Python's.

Everything that the function's author may have got wrong is found here, when the session is made.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol, get_args, get_origin

import attrs

from livebridge import wire
from livebridge.errors import ConfigError, DecodeError, ToolError
from livebridge.session._tool_mark import MARK, ToolSettings
from livebridge.session._tool_schema import as_json_schema, as_schema
from livebridge.session._tool_types import (
    InexpressibleError,
    Shape,
    ShapeMaker,
    described,
    plain_default,
    resolve_one,
)

Function = Callable[..., object]  # type: ignore[explicit-any]  # its signature is the user's

Form = Literal["async", "sync", "generator"]
"""How a function runs: in a task, in a worker thread, or in a task and step by step."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
"""What the API takes as the name of a function."""

_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Runnable(Protocol):
    """Something that a model's call can run: a `ToolFunction`, or a tool of an MCP server."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> ToolSettings: ...
    @property
    def form(self) -> Form: ...
    @property
    def declaration(self) -> wire.FunctionDeclaration: ...

    def bind(self, given: Mapping[str, object], own: Mapping[str, object]) -> Callable[[], object]:
        """Check a call's arguments and make what runs it."""


@attrs.frozen(kw_only=True)
class Argument:
    """One parameter that the model fills.

    Attributes:
        name: The parameter.
        hint: Its type hint, resolved.
        required: It has no default.
    """

    name: str
    hint: object
    required: bool


@attrs.frozen(kw_only=True)
class ToolFunction:
    """A function that the model may call.

    Attributes:
        name: What the model calls it.
        function: The function, bound if it is a method.
        settings: What ``@tool`` said.
        form: How it runs.
        declaration: What is declared to the model.
        arguments: The parameters that the model fills.
        injected: Those that the session fills: what of, by name of the parameter.
        signature: The function's own.
    """

    name: str
    function: Function
    settings: ToolSettings
    form: Form
    declaration: wire.FunctionDeclaration
    arguments: tuple[Argument, ...]
    injected: Mapping[str, str]
    signature: inspect.Signature

    def bind(self, given: Mapping[str, object], own: Mapping[str, object]) -> Callable[[], object]:
        """Make Python's arguments of a call's, and the function ready to be run with them.

        Args:
            given: The call's, as JSON gave them.
            own: What the session fills in, by what it is.

        Raises:
            ToolError: They do not fit; the text is written for the model, which can then correct them.
        """
        known = {argument.name for argument in self.arguments}
        problems = [
            f"{name}: there is no such argument; expected {', '.join(sorted(known)) or 'none'}"
            for name in given
            if name not in known
        ]
        bound = self.signature.bind_partial()
        for name, what in self.injected.items():
            bound.arguments[name] = own[what]
        for argument in self.arguments:
            if argument.name not in given:
                if argument.required:
                    problems.append(f"{argument.name}: is missing")
                continue
            value = given[argument.name]
            try:
                bound.arguments[argument.name] = wire.structure(value, argument.hint, where=argument.name)
            except DecodeError as error:
                # models write null for what they leave out
                if argument.required or value is not None:
                    problems.append(str(error))
        if problems:
            raise ToolError(f"invalid arguments for {self.name}: {'; '.join(problems)}")
        order = {name: index for index, name in enumerate(self.signature.parameters)}
        bound.arguments = dict(sorted(bound.arguments.items(), key=lambda item: order[item[0]]))
        return functools.partial(self.function, *bound.args, **bound.kwargs)


def tool_function(function: Function, injectable: Mapping[type, str]) -> ToolFunction:
    """Read a function's signature, type hints and docstring.

    Args:
        function: A function, a bound method, a `functools.partial` or any other callable object.
        injectable: What the session can fill in, by the class that a parameter is annotated with.

    Raises:
        ConfigError: Something in it cannot be declared; names the function and the parameter.
    """
    bare = _bare(function)
    settings = getattr(function, MARK, None) or getattr(bare, MARK, None) or ToolSettings()
    assert isinstance(settings, ToolSettings)
    name = settings.name or str(getattr(bare, "__name__", type(bare).__name__))
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a tool; give one with @tool(name='…')")
    notes = described(bare)
    reader = _Reader(name, injectable, notes, _names(bare))
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        reader.read(parameter)
    return ToolFunction(
        name=name,
        function=function,
        settings=settings,
        form=_form(bare),
        declaration=reader.declaration(settings),
        arguments=tuple(reader.arguments),
        injected=reader.injected,
        signature=signature,
    )


@attrs.define
class _Reader:
    """Collects what the parameters say."""

    tool: str
    injectable: Mapping[type, str]
    notes: Mapping[str, str]
    names: dict[str, object]
    arguments: list[Argument] = attrs.field(factory=list)
    injected: dict[str, str] = attrs.field(factory=dict)
    _maker: ShapeMaker = attrs.field(factory=ShapeMaker)
    _shapes: dict[str, Shape] = attrs.field(factory=dict)

    def read(self, parameter: inspect.Parameter) -> None:
        """Take note of one parameter."""
        name = parameter.name
        if parameter.kind in _VARIADIC:
            raise ConfigError(f"tool {self.tool}, parameter {name}: the model cannot fill *args or **kwargs")
        if parameter.annotation is inspect.Parameter.empty:
            raise ConfigError(f"tool {self.tool}, parameter {name}: needs a type hint")
        try:
            hint = resolve_one(parameter.annotation, self.names)
            what = self._injection(hint)
            shape = Shape() if what is not None else self._maker.shape(hint)
        except InexpressibleError as error:
            raise ConfigError(f"tool {self.tool}, parameter {name}: {error}") from None
        if what is not None:
            self.injected[name] = what
            return
        required = parameter.default is inspect.Parameter.empty
        shape.description = shape.description or self.notes.get(name)
        if not required:
            shape.default = plain_default(parameter.default)
        self._shapes[name] = shape
        self.arguments.append(Argument(name=name, hint=hint, required=required))

    def _injection(self, hint: object) -> str | None:
        candidates = get_args(hint) if get_origin(hint) is not None else (hint,)
        for candidate in candidates:
            for cls, what in self.injectable.items():
                if isinstance(candidate, type) and issubclass(candidate, cls):
                    return what
        return None

    def declaration(self, settings: ToolSettings) -> wire.FunctionDeclaration:
        """What the model is told."""
        described = wire.FunctionDeclaration(
            name=self.tool,
            description=settings.description or self.notes.get(""),
            behavior=None if settings.behavior is None else wire.Behavior(settings.behavior.upper()),
        )
        if not self._shapes:
            return described
        required = tuple(argument.name for argument in self.arguments if argument.required)
        whole = Shape(kind="object", properties=self._shapes, required=required)
        schema = as_schema(whole)
        if schema is not None:
            return attrs.evolve(described, parameters=schema)
        return attrs.evolve(described, parameters_json_schema=as_json_schema(whole, self._maker.classes))


def _bare(function: Function) -> Function:
    """The function below partials and bound methods; of an object, the object."""
    while isinstance(function, functools.partial):
        function = function.func
    bound = getattr(function, "__func__", None)
    return bound if callable(bound) else function


def _called(bare: Function) -> Function:
    """The function that runs: of an object, its ``__call__``."""
    owner = inspect.unwrap(bare)
    return owner if hasattr(owner, "__name__") else type(owner).__call__


def _names(bare: Function) -> dict[str, object]:
    names = getattr(_called(bare), "__globals__", {})
    assert isinstance(names, dict)
    return names


def _form(bare: Function) -> Form:
    target = _called(bare)
    if inspect.isasyncgenfunction(target):
        return "generator"
    return "async" if inspect.iscoroutinefunction(target) else "sync"
