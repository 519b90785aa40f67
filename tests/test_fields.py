"""Every place that names the API's fields names the same ones, and takes the same values."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import traitlets

from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.cli import batch_command
from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.client.wire.dialects import DIALECTS
from opeai_nb.engine.api import aliyun_request, openai_request
from opeai_nb.errors import InputError
from opeai_nb.families import FAMILIES
from opeai_nb.fields import BY_NAME, DEFAULT_MODEL, FIELDS, Field
from opeai_nb.notebook.magic.completion import Notebook, complete
from opeai_nb.notebook.magic.line import parse
from opeai_nb.notebook.panel.controls import Controls, ControlTraits, controls_of

KINDS: dict[str, tuple[str, type]] = {
    "text": ("str", traitlets.Unicode),
    "word": ("str", traitlets.Unicode),
    "integer": ("int", traitlets.Int),
    "choice": ("str", traitlets.Unicode),
    "flag": ("bool", traitlets.Bool),
    "image": ("tuple[InputImage, ...] | Any", traitlets.Tuple),
    "pairs": ("Mapping[str, Any]", traitlets.Dict),
}
SAMPLES = {"size": "512x512", "image": "https://example.com/a.png", "extra": {"steps": 20}}
OPTIONS = [field for field in FIELDS if field.name != "prompt"]
each_field = pytest.mark.parametrize("field", OPTIONS, ids=lambda field: field.name)


def sample(field: Field) -> Any:
    """Return a value that the field takes."""
    by_kind = {"integer": field.span and field.span[1], "flag": False}
    first = field.choices[-1] if field.choices else "fog"
    return SAMPLES.get(field.name, by_kind.get(field.kind, first))


def text_of(value: Any) -> str:
    """Return a value as it is written on the line of the magic."""
    return " ".join(map(str, *value.items())) if isinstance(value, dict) else str(value)


def asked(field: Field, value: Any) -> ImageRequest:
    """Return a request with the field, in a dialect that has a place for it."""
    return build_request("a fox", {"dialect": field.only or "openai", field.name: value})


def test_the_request_has_these_fields_of_these_kinds() -> None:
    annotations = {item.name: str(item.type) for item in dataclasses.fields(ImageRequest)}
    assert annotations.keys() == BY_NAME.keys()
    for field in FIELDS:
        assert annotations[field.name].removesuffix(" | None") == KINDS[field.kind][0], field.name
    assert ImageRequest("a fox").model == DEFAULT_MODEL


def test_the_panel_has_a_trait_for_each_field() -> None:
    traits = ControlTraits.class_traits()
    names = {{"image": "images"}.get(name, name) for name in BY_NAME}
    beside = {"preset", "only"}  # what stands for fields, and what is done with the answer
    assert traits.keys() == names | beside
    for field in FIELDS:
        trait = traits[{"image": "images"}.get(field.name, field.name)]
        assert isinstance(trait, KINDS[field.kind][1]), field.name
    n: Any = traits["n"]
    assert (n.min, n.max) == BY_NAME["n"].span


@each_field
def test_an_option_sets_the_field(field: Field) -> None:
    value = sample(field)
    spelling = field.unset or field.spellings[-1]
    written = spelling if field.kind == "flag" else f"{spelling} {text_of(value)}"
    expected = [value] if field.kind == "image" else value
    assert parse(written, {}).request == {field.name: expected}


@each_field
def test_completion_offers_the_option_and_its_choices(field: Field) -> None:
    for spelling in field.spellings:
        if spelling.startswith("--"):
            offered = complete(f"%%imagine {spelling}", Notebook({}))
            assert offered is not None
            assert spelling in offered.texts
    if field.choices:
        offered = complete(f"%%imagine {field.spellings[-1]} ", Notebook({}))
        assert offered is not None
        assert offered.texts == field.choices


@each_field
def test_a_column_of_a_batch_sets_the_field(field: Field) -> None:
    value = sample(field)
    cell = '{"steps": 20}' if field.kind == "pairs" else str(value)
    row = {"prompt": "a fox", "dialect": field.only or "openai", field.name: cell}
    (point,) = rows_of([row], None, {}).plan
    assert point.request == asked(field, value)


@each_field
def test_a_flag_of_the_command_line_sets_the_field(field: Field) -> None:
    value = sample(field)
    flag = [field.unset] if field.unset else [field.long, *text_of(value).split()]
    options = batch_command.parser().parse_args(["a.csv", "--out=o", *flag])
    fixed = {"dialect": field.only or "openai", **batch_command.fields_of(options)}
    (point,) = rows_of(["a fox"], None, fixed).plan
    assert point.request == asked(field, value)


@each_field
def test_the_panel_asks_for_what_the_cell_asks_for(field: Field) -> None:
    request = asked(field, sample(field))
    if field.kind != "image":
        assert controls_of(request).request() == request
    assert Controls("a fox").request() == ImageRequest("a fox")


def flat(dialect: str, body: Any) -> dict[str, Any]:
    """Return what a body says, by field, in whichever dialect it is written."""
    if dialect == "openai":
        return dict(body)
    content = body["input"]["messages"][0]["content"]
    return {"model": body["model"], **body["parameters"], **content[0]}


def on_the_wire(field: Field, dialect: str) -> dict[str, Any]:
    """Return what a body should say when the field has its sample value."""
    value = sample(field)
    if field.name == "size" and dialect == "aliyun":
        return {"size": "512*512"}
    return {"dialect": {}, "extra": value}.get(field.name, {field.name: value})


@each_field
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_sends_what_it_has_a_place_for(field: Field, dialect: str) -> None:
    values = {field.name: sample(field), "dialect": dialect}
    if not field.fits(dialect) and dialect == "openai":
        with pytest.raises(InputError, match="dropped silently"):
            build_request("a fox", values)
        return
    body = flat(dialect, DIALECTS[dialect].body(build_request("a fox", values)))
    if field.fits(dialect):
        assert on_the_wire(field, dialect).items() <= body.items()
    else:
        assert field.name not in body


@each_field
def test_what_is_out_of_range_or_closed_is_refused(field: Field) -> None:
    wrong: list[Any] = [3.5] if field.kind != "image" else [3]
    if field.span:
        wrong += [field.span[0] - 1, field.span[1] + 1]
    if field.kind == "choice":
        wrong += ["fog"]
    for value in wrong:
        with pytest.raises(InputError):
            asked(field, value)


def test_a_family_ignores_fields_that_exist() -> None:
    for family in FAMILIES:
        assert family.ignored <= BY_NAME.keys(), family.name


def test_the_engine_reads_what_we_write() -> None:
    """Its tables are its own, so that a misreading of the platform shows up here."""
    types = {"text": str, "word": str, "choice": str, "integer": int, "flag": bool}
    on_the_wire = {
        field.name: types[field.kind]
        for field in FIELDS
        if field.fits("openai") and field.name not in ("image", "extra", "dialect")
    }
    assert openai_request.FIELD_TYPES.items() <= {**on_the_wire, "stream": bool}.items()
    native = {name for name in BY_NAME if BY_NAME[name].fits("aliyun")}
    assert aliyun_request._PARAMETERS.keys() <= native
    assert BY_NAME["n"].span == (1, openai_request._N_MAX)
    assert BY_NAME["seed"].span == (0, aliyun_request._SEED_MAX)
    assert tuple(openai_request._OUTPUT_FORMATS) == BY_NAME["output_format"].choices
