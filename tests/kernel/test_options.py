"""Options, help, defaults and completion, as a front end asks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def body_of(kernel: Any, line: str, prompt: str = "a cat") -> dict[str, Any]:
    """Return the JSON that a cell would send."""
    text = kernel.good(f"%%imagine --dry-run {line}\n{prompt}").result["text/plain"]
    head, _, rest = text.partition("\n")
    assert head.startswith("POST ")
    body: dict[str, Any] = json.loads(rest[: rest.rindex("}") + 1])
    return body


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("-m gpt-image-2", "model", "gpt-image-2"),
        ("--size 640*480", "size", "640x480"),
        ("--ar 16:9", "size", "2688x1536"),
        ("--quality high -m gpt-image-2", "quality", "high"),
        ("-n 3", "n", 3),
        ("--response_format url", "response_format", "url"),
        ("--output-format webp -m gpt-image-1", "output_format", "webp"),
        ("--output-compression 80 -m gpt-image-1", "output_compression", 80),
        ("--background transparent -m gpt-image-1", "background", "transparent"),
        ("--moderation low -m gpt-image-1", "moderation", "low"),
        ("--style vivid -m dall-e-3", "style", "vivid"),
        ("--user me -m gpt-image-1", "user", "me"),
        (
            "--sequential-image-generation auto -m doubao-seedream-4.0",
            "sequential_image_generation",
            "auto",
        ),
        ("--watermark", "watermark", True),
        ("--no-watermark", "watermark", False),
        ("--param steps 20", "steps", 20),
        ("--param mode 'very fast'", "mode", "very fast"),
        ("", "prompt", "a cat"),
    ],
)
def test_an_option_becomes_its_field(kernel: Any, line: str, field: str, value: Any) -> None:
    assert body_of(kernel, line)[field] == value


def test_the_aliyun_dialect_takes_what_the_other_refuses(kernel: Any) -> None:
    body = body_of(kernel, "--dialect aliyun --seed 7 --negative-prompt 'no text' -s 640x480")
    parameters = body["parameters"]
    assert (parameters["seed"], parameters["negative_prompt"]) == (7, "no text")
    assert parameters["size"] == "640*480"
    found = kernel.run("%%imagine --seed 7\na cat")
    assert "dialect" in "\n".join(found.error["traceback"])


def test_options_go_together(kernel: Any) -> None:
    """On a line as in a cell: a shape, an unknown field, a name, raw braces and no badge."""
    options = "cats << --raw --quiet --ar 16:9 --param steps 20 -m gpt-image-2"
    found = kernel.good(f"%imagine {options} it's a {{cat|dog}}'s {{life}}")
    assert found.displays == []
    assert "image/jpeg" in found.result
    told = kernel.good("r = cats.request\nr.prompt, r.size, r.extra, r.model")
    assert told.result["text/plain"] == (
        "(\"it's a {cat|dog}'s {life}\", '2048x1152', {'steps': 20}, 'gpt-image-2')"
    )


@pytest.mark.parametrize(
    "prompt",
    [
        '{"json": [1, 2]}\nand a second line',
        "it's a {cat|dog}'s \"life\"",
        "--not an option\n%not a magic\n!ls $HOME",
    ],
)
def test_the_body_is_the_prompt_as_it_stands(kernel: Any, prompt: str) -> None:
    assert body_of(kernel, "--raw", prompt)["prompt"] == prompt


def test_every_kind_of_input_picture_is_taken(kernel: Any) -> None:
    kernel.good("%%imagine -s 512x512 -o before\na red apple")
    kernel.good(
        "import io, numpy\nfrom pathlib import Path\n"
        "pil, array = before[0], numpy.asarray(before[0])\n"
        "kept = before.pictures[0]\ndata, path = kept.data, kept.path"
    )
    path = kernel.good("print(path.relative_to(Path.cwd()))").stream.strip()
    names = ["pil", "$array", "{data}", "path", "before", "kept", path, f"'{path}'"]
    for name in names:
        images = body_of(kernel, f"-i {name}", "make it blue")["image"]
        (image,) = images if isinstance(images, list) else [images]
        assert image.startswith("data:image/png;base64,"), name
    url = "https://example.com/a.png"
    assert url in str(body_of(kernel, f"-i pil --image {url}", "both"))


def test_copies_are_saved_where_the_option_says(kernel: Any) -> None:
    kernel.good("%%imagine -n 2 -s 512x512 --save out/deep\na red apple")
    saved = sorted(path.name for path in (kernel.folder / "out" / "deep").iterdir())
    assert saved == ["a-red-apple-1.png", "a-red-apple-2.png"]


def test_full_shows_each_picture_with_the_bytes_that_are_kept(kernel: Any) -> None:
    found = kernel.good("%%imagine -n 2 -s 512x512 --show full -o x\na red apple")
    assert [sorted(b) for b in found.displays[1:]] == [["image/png", "text/plain"]] * 2
    assert found.result == {"text/plain": "<Generation: 2 pictures · qwen-image-2.0 · 512x512>"}
    told = kernel.good("import base64\n[base64.b64encode(p.data).decode() for p in x.pictures]")
    shown = [b["image/png"] for b in found.displays[1:]]
    assert told.result["text/plain"].count("'") == 4
    kept = [path.read_bytes() for path in sorted((kernel.folder / "imagine").glob("*.png"))]
    import base64

    assert [base64.b64decode(text) for text in shown] == kept
    again = kernel.good("x")
    assert "image/jpeg" in again.result, "later it is a sheet again"


def test_none_shows_text_and_quiet_no_badge(kernel: Any) -> None:
    found = kernel.good("%%imagine -s 512x512 --show none --quiet\na red apple")
    assert found.displays == []
    assert set(found.result) == {"text/plain"}
    assert "image/jpeg" in kernel.good("_").result


def test_a_semicolon_silences_the_result(kernel: Any) -> None:
    found = kernel.good("%imagine -s 512x512 -o apple a red apple;")
    assert found.result == {}
    assert kernel.good("apple.request.prompt").result["text/plain"] == "'a red apple'"


def test_fresh_sends_anew_where_a_restart_would_replay(kernel: Any) -> None:
    cell = "%%imagine -s 512x512 -o x{}\na red apple"
    kernel.good(cell.format(1), cell="c")
    kernel.good("%unload_ext opeai_nb\n%load_ext opeai_nb")  # as a new kernel would
    replayed = kernel.good(cell.format(2), cell="c").badges
    assert "↓ shown from the library, nothing was sent" in replayed[:-1], "told before the end"
    assert replayed[-1] == "✓ 1 picture · qwen-image-2.0 · 512x512 · embedded engine"
    kernel.good("%unload_ext opeai_nb\n%load_ext opeai_nb")
    kernel.good(cell.format(3).replace("%%imagine", "%%imagine --fresh"), cell="c")
    told = kernel.good("[bool(x.replayed_from) for x in (x1, x2, x3)]")
    assert told.result["text/plain"] == "[False, True, False]"


def test_help_is_readable_in_all_three_ways(kernel: Any) -> None:
    for cell in ("%imagine help", "%%imagine --help", "%imagine --help", "\n%%imagine -h\nx"):
        found = kernel.good(cell)
        text = found.stream or found.result["text/plain"]
        assert "%%imagine [options]" in text, cell
        assert "--negative-prompt TEXT" in text, cell
        assert max(map(len, text.splitlines())) <= 110
    message = kernel.client.execute("%%imagine?")
    payload = kernel.reply(message, 30)["payload"][0]["data"]["text/plain"]
    assert "--negative-prompt TEXT" in payload


def test_an_option_wins_over_config(kernel: Any) -> None:
    kernel.good("%config Imagine.model = 'gpt-image-1'\n%config Imagine.n = 2")
    kernel.good("%config Imagine.output_format = 'webp'")
    body = body_of(kernel, "-n 3")
    assert (body["model"], body["n"], body["output_format"]) == ("gpt-image-1", 3, "webp")
    kernel.good("%config Imagine.quiet = True\n%config Imagine.show = 'none'")
    found = kernel.good("%%imagine -m qwen-image-2.0 -n 1 -s 512x512\na cat")
    assert (found.displays, set(found.result)) == ([], {"text/plain"})


def test_a_setting_that_does_not_exist_is_told(kernel: Any) -> None:
    found = kernel.run("%config Imagine.modle = 'x'")
    assert "Did you mean" in found.stream
    found = kernel.run("%config Imagine.show = 'huge'")
    assert "any of ['thumb', 'full', 'none']" in found.stream
    for name, least in (
        ("timeout = 0", "0.1"),
        ("n = -1", "0"),
        ("max_images_per_session = -1", "0"),
    ):
        found = kernel.run(f"%config Imagine.{name}")
        assert f"less than {least}" in f"{found.stream}{found.error}"


def test_a_profile_sets_defaults(new_kernel: Any, tmp_path: Path) -> None:
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_config.py").write_text(
        "c.Imagine.model = 'gpt-image-1'\nc.Imagine.size = '1536x1024'\n"
    )
    body = body_of(new_kernel(), "")
    assert (body["model"], body["size"]) == ("gpt-image-1", "1536x1024")


def complete(kernel: Any, code: str) -> tuple[list[str], str]:
    """Return what the kernel offers at the end of *code*, and the text that it would replace."""
    found = kernel.reply(kernel.client.complete(code), 30)
    return found["matches"], code[found["cursor_start"] : found["cursor_end"]]


def test_completion_reaches_the_front_end(kernel: Any) -> None:
    assert complete(kernel, "%%imagine --si") == (["--size"], "--si")
    assert complete(kernel, "%%imagine --show=f") == (["full"], "f")
    kernel.good("palette = 'teal'")
    assert complete(kernel, "%%imagine -n 2\na cat in {pal") == (["palette"], "pal")
    assert complete(kernel, "x = %imagine --style $pal") == (["$palette"], "$pal")
    assert "rehearsal-slow" not in complete(kernel, "%%imagine -m reh")[0]
    kernel.good("%imagine models")
    assert "rehearsal-slow" in complete(kernel, "%%imagine -m reh")[0]
    kernel.good("%unload_ext opeai_nb")
    assert kernel.good("get_ipython().Completer.custom_matchers").result["text/plain"] == "[]"
