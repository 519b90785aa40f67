"""`python -m opeai_nb batch` as a producer runs it: at night, in a Makefile, under systemd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opeai_nb.bulk.batch.rows import rows_of
from opeai_nb.cli.main import main
from tests import fork

SMALL = "--size=512x512"
REFUSING = "rehearsal-moderation"


@pytest.fixture
def table(folder: Path) -> Path:
    """Three products; the second one is refused."""
    path = folder / "cups.csv"
    path.write_text(f"sku,prompt,model\nA,a cup,\nB,a mug,{REFUSING}\nC,a bowl,\n")
    return path


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in (folder / "manifest.jsonl").read_text().splitlines()]


def test_the_rows_to_mend_are_a_table_and_the_reasons_stand_beside_the_way_out(
    table: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["batch", str(table), "--out=o", SMALL, "--quiet", "--errors=mend.csv"]
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert "3 rows · 2 done · 1 failed" in shown.out
    assert "Row 3: The platform refused the content" in shown.err
    assert "  → Word the prompt differently" in shown.err
    text = (folder / "mend.csv").read_text("utf-8-sig")
    assert text.splitlines()[0] == "sku,prompt,model,opeai_nb_reason"
    (folder / "mend.csv").write_text(text.replace(REFUSING, ""), "utf-8-sig")
    assert [row.cells for row in rows_of("mend.csv", None, {}).table.rows] == [
        {"sku": "B", "prompt": "a mug"}
    ]
    assert main(["batch", "mend.csv", "--out=o", SMALL, "--quiet"]) == 0
    assert sorted((str(line["sku"]), line["status"]) for line in manifest(folder / "o")) == [
        ("A", "done"),
        ("B", "done"),
        ("B", "failed"),
        ("C", "done"),
    ]


def test_the_rows_to_mend_are_json_lines_where_the_name_ends_so(table: Path, folder: Path) -> None:
    assert main(["batch", str(table), "--out=o", SMALL, "--quiet", "--errors=mend.jsonl"]) == 1
    (line,) = (folder / "mend.jsonl").read_text("utf-8").splitlines()
    mended = {name: value for name, value in json.loads(line).items() if value != REFUSING}
    assert mended.pop("opeai_nb_reason").startswith("The platform refused the content")
    (folder / "mend.jsonl").write_text(json.dumps(mended) + "\n", "utf-8")
    assert main(["batch", "mend.jsonl", "--out=o", SMALL, "--quiet"]) == 0


def test_equal_reasons_are_one_line(
    table: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(f"prompt,model\na,{REFUSING}\nb,{REFUSING}\n")
    assert main(["batch", str(table), "--out=o", "--quiet"]) == 1
    assert "2 rows (2, 3): The platform refused" in capsys.readouterr().err


def test_done_is_written_on_success_alone_and_gone_when_a_run_fails(
    table: Path, folder: Path
) -> None:
    good = folder / "good.csv"
    good.write_text("prompt\na cup\n")
    assert main(["batch", str(good), "--out=o", SMALL, "--quiet"]) == 0
    assert (folder / "o" / ".done").read_text() == "1 row · 1 done\n"
    assert main(["batch", str(table), "--out=o", SMALL, "--quiet"]) == 1
    assert not (folder / "o" / ".done").exists()


def test_one_product_is_shot_again(table: Path, folder: Path) -> None:
    table.write_text("sku,prompt\nA,a cup\nB,a cup\n")
    arguments = ["batch", str(table), "--out=o", "--key=sku", SMALL, "--quiet"]
    assert main(arguments) == 0
    before = {line["sku"]: line["files"] for line in manifest(folder / "o")}
    assert main([*arguments, "--only=B", "--fresh"]) == 0
    after = {line["sku"]: line["files"] for line in manifest(folder / "o")}
    assert after["A"] == before["A"]
    assert after["B"] != before["B"]
    assert main([*arguments, "--only=Z"]) == 2


def test_status_tells_how_far_it_is_to_people_and_programs(
    table: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["batch", str(table), "--out=o", SMALL, "--quiet"])
    capsys.readouterr()
    assert main(["batch", "status", "o"]) == 1
    assert capsys.readouterr().out == "3 rows · 2 done · 1 failed\n"
    assert main(["batch", "status", "o", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["done"] == 2
    assert main(["batch", "status", "nowhere"]) == 2


def test_the_log_has_a_line_for_each_event(table: Path, folder: Path) -> None:
    main(["batch", str(table), "--out=o", SMALL, "--quiet", "--log=run.log"])
    events = [line.split(" ", 1)[1] for line in (folder / "run.log").read_text().splitlines()]
    assert events[0] == f"begins: {table}, 3 rows"
    assert sorted(event.split(":")[0] for event in events[1:-1]) == [
        "row 2 done",
        "row 3 failed",
        "row 4 done",
    ]
    assert events[-1] == "ends: 3 rows · 2 done · 1 failed"


def test_prune_moves_what_no_row_shows_to_the_trash_when_told_yes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for prompt in ("a cup", "a mug"):
        (folder / "t.csv").write_text(f"prompt\n{prompt}\n")
        main(["batch", "t.csv", "--out=o", SMALL, "--quiet"])
    assert main(["batch", "t.csv", "--out=o", SMALL, "--quiet", "--prune"]) == 0
    assert "add --yes" in capsys.readouterr().err
    assert main(["batch", "t.csv", "--out=o", SMALL, "--quiet", "--prune", "--yes"]) == 0
    assert "1 row in the trash" in capsys.readouterr().out
    assert main(["batch", "t.csv", "--out=o", SMALL, "--quiet", "--prune", "--yes"]) == 0
    assert "trash" not in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--mirror=", "--prompt= ", "--key=", "--errors="])
def test_an_option_without_a_value_is_refused(
    table: Path, folder: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", str(table), "--out=o", option]) == 2
    assert f"{option.partition('=')[0]} is empty" in capsys.readouterr().err
    assert not (folder / "o").exists()


@pytest.mark.parametrize("terminal", [False, None])
def test_many_pictures_are_not_sent_where_nobody_can_be_asked(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool | None,
) -> None:
    """As in cells; what the folder has already is not counted."""
    if terminal is None:  # closed by whoever started it
        monkeypatch.setattr(sys, "stdin", None)
    (folder / "t.csv").write_text("prompt\n" + "a cup\n" * 3)
    assert main(["batch", "t.csv", "--out=o", "--n=9", "--quiet"]) == 2
    assert "asks for 27 pictures in 3 requests, more than 8" in capsys.readouterr().err
    (folder / "t.csv").write_text("prompt\n" + "a cup\n" * 9)
    command = ["batch", "t.csv", "--out=o", SMALL, "--quiet"]
    assert main(command) == 2
    assert "Nobody is there to be asked: add --yes. Nothing was sent." in capsys.readouterr().err
    assert not (folder / "o").exists()
    assert main([*command, "--yes"]) == main(command) == 0


def test_no_column_need_be_a_field(folder: Path) -> None:
    (folder / "t.csv").write_text("name,style,user,Sizes\na cup,casual,anna,XL\n")
    command = ["batch", "t.csv", "--out=o", "--prompt=a {name}", SMALL, "--quiet"]
    assert main(command) == 2
    assert main([*command, "--field-columns=none"]) == 0
    (line,) = manifest(folder / "o")
    assert (line["style"], line["Sizes"]) == ("casual", "XL")


def test_without_anybody_to_send_to_nothing_is_begun(
    table: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("OPEAI_BASE_URL", "OPEAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPEAI_NB_ENGINE", "never")
    assert main(["batch", str(table), "--out=o", "--quiet"]) == 2
    assert "There is no API key" in capsys.readouterr().err
    assert not (folder / "o" / "manifest.jsonl").exists()


def test_output_in_ascii_never_fails_after_success(table: Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opeai_nb", "batch", str(table), "--out=o", "--dry-run"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "3 to send" in done.stdout


def test_a_closed_pipe_ends_quietly(table: Path, folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m opeai_nb batch {table} --out=o --dry-run | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


class _Slow(BaseHTTPRequestHandler):
    """Tells of each POST and answers none before it is let go."""

    arrived = threading.Semaphore(0)
    gate = threading.Event()

    def do_POST(self) -> None:
        self.arrived.release()
        self.gate.wait(60)
        body = b'{"data": [{"b64_json": "iVBORw0KGgo="}]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], subprocess.Popen[str]]:
    """Start a batch of ten rows, two at once, against a server that does not answer yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPEAI_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OPEAI_API_KEY", "k-0123456789")
    (folder / "t.csv").write_text("prompt\n" + "".join(f"cup {n}\n" for n in range(10)))

    def start() -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "opeai_nb",
            "batch",
            "t.csv",
            "--out=o",
            "--quiet",
            "--yes",
        ]
        process = fork.start(
            [*command, "--concurrency=2"], stdout=-1, stderr=-1, text=True, cwd=folder
        )
        for _ in range(2):
            assert _Slow.arrived.acquire(timeout=60)
        return process

    return start


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_in_order(
    begun: Callable[[], subprocess.Popen[str]], folder: Path, number: int, code: int
) -> None:
    _Slow.gate.clear()
    process = begun()
    process.send_signal(number)
    assert process.stderr is not None
    assert "nothing more is sent" in process.stderr.readline()
    _Slow.gate.set()
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (code, False)
    assert "10 rows" in out
    assert "8 not sent" in out
    assert len(manifest(folder / "o")) == 10
