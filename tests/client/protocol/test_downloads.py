"""Downloads: where we go, what travels, and what counts as a picture."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from opeai_nb.client import Generation, ImageRequest, Picture
from opeai_nb.client.http import picture_reader
from opeai_nb.client.http.network.resolve import addresses_of
from opeai_nb.errors import DownloadError, LibraryError, OpeaiError, RefusedDownloadError
from opeai_nb.testing import Answer, Drop, Refuse, Script, Stall, pictures_answer, png
from tests.client.misbehaving import misbehaving
from tests.client.shells import URL, Shell, dripping
from tests.fork import run

RED = png(64, 48, (200, 0, 0))
PLACE = "https://pictures.test/1.png"


def pointing_at(*urls: str) -> Generation:
    return Generation(tuple(Picture(url=url) for url in urls), ImageRequest("a fox"))


def redirect(target: str, status: int = 302) -> Answer:
    return Answer(b"", status=status, headers={"Location": target})


class TestWhatTravels:
    def test_no_key_goes_to_the_pictures_host(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer(PLACE), RED)
        shell(transport=script).generate("a fox")
        post, get = script.requests
        assert ("authorization" in post.headers, "authorization" in get.headers) == (True, False)
        assert "idempotency-key" not in get.headers

    @pytest.mark.parametrize(
        "target",
        [
            "/a.png?Signature=a%2Fb%2B%3D&Expires=1",
            "/a%20b.png?x=%7E~&y=a+b",
            "/a.png?X-Tos-Signature=ab%2fCD",
            "/a.png?sig=it's&list[]=1",
            "/a//b/../c.png?",
            "/a.png?a=b?c=d/e",
            "/a;v=1.png?q={1}|2^3",
        ],
    )
    def test_signed_url_is_sent_byte_for_byte(
        self, shell: Callable[..., Shell], target: str
    ) -> None:
        with misbehaving(Answer(RED)) as server:
            fetched = shell(base_url=server.url).fetch(pointing_at(server.url + target))
        assert fetched.pictures[0].data == RED
        sent = server.requests[0][0].split(" ")[1]
        assert sent == target.rstrip("?").translate({ord(c): f"%{ord(c):X}" for c in "{}|^"})

    def test_url_from_the_root_is_of_the_platform(self, shell: Callable[..., Shell]) -> None:
        script = Script(pictures_answer("/pictures/1.png"), RED)
        shell(transport=script).generate("a fox")
        assert str(script.requests[1].url) == f"{URL}/pictures/1.png"


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect_is_followed(self, shell: Callable[..., Shell], status: int) -> None:
        script = Script(redirect("https://cdn.test/2.png?a=%2F", status), RED)
        fetched = shell(transport=script).fetch(pointing_at(PLACE))
        assert (fetched.pictures[0].data, fetched.pictures[0].url) == (RED, PLACE)
        assert str(script.requests[1].url) == "https://cdn.test/2.png?a=%2F"
        assert "authorization" not in script.requests[1].headers

    def test_relative_redirect_is_followed(self, shell: Callable[..., Shell]) -> None:
        script = Script(redirect("../2.png"), RED)
        shell(transport=script).fetch(pointing_at("https://pictures.test/a/b/1.png"))
        assert script.requests[1].url.path == "/a/2.png"

    def test_endless_redirects_end(self, shell: Callable[..., Shell]) -> None:
        script: Script = Script(lambda request: redirect(f"{PLACE}?{len(script.requests)}"))
        with pytest.raises(DownloadError, match="redirects too many times"):
            shell(transport=script).fetch(pointing_at(PLACE))
        assert len(script.requests) == 5

    @pytest.mark.parametrize(
        "target", ["http://10.0.0.1/x", "file:///etc/passwd", "ftp://x.test/1"]
    )
    def test_redirect_to_where_we_do_not_go_is_refused(
        self, shell: Callable[..., Shell], target: str
    ) -> None:
        script = Script(redirect(target))
        with pytest.raises(RefusedDownloadError):
            shell(transport=script).fetch(pointing_at(PLACE))
        assert len(script.requests) == 1


PRIVATE = [
    *(
        "127.0.0.1",
        "127.8.9.1",
        "[::1]",
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
    ),
    *("100.64.0.1", "0.0.0.0", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "224.0.0.1"),
]


class TestPrivateAddresses:
    @pytest.mark.parametrize("host", PRIVATE)
    def test_private_address_is_refused_and_its_url_kept(
        self, shell: Callable[..., Shell], host: str
    ) -> None:
        script = Script()
        with pytest.raises(RefusedDownloadError, match="allow_hosts") as caught:
            shell(transport=script).fetch(pointing_at(f"http://{host}/1.png"))
        assert script.requests == []
        assert caught.value.url == f"http://{host}/1.png"
        assert caught.value.pictures[0].url == f"http://{host}/1.png"

    @pytest.mark.parametrize(
        "host",
        [
            *("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "localhost"),
            *(
                "127.0.0.1.",
                "\uff11\uff12\uff17.0.0.1",
                "127\u30020\u30020\u30021",
                "user:word@2130706433",
            ),
        ],
    )
    def test_another_spelling_of_a_private_address_is_refused(
        self, shell: Callable[..., Shell], host: str
    ) -> None:
        """Whatever the system's own lookup makes of it is what is judged."""
        homes = {"platform.test": ["8.8.4.4"]}
        client = shell(
            transport=Script(), resolve=lambda name: homes.get(name) or addresses_of(name)
        )
        with pytest.raises((RefusedDownloadError, DownloadError)):
            client.fetch(pointing_at(f"http://{host}/1.png"))

    @pytest.mark.parametrize(
        "url",
        [
            *("http://[::1]@[platform.test]x/1", "http://platform.test[x]/1"),
            *("http://x\\@platform.test/1", "http://platform.test\\.x/1", "http://a b/1"),
            *("http://[platform.test]/1", "http://[::1]x@[platform.test/1", "http://[::1]:x/1"),
        ],
    )
    def test_a_host_that_can_be_read_in_two_ways_is_refused(
        self, shell: Callable[..., Shell], url: str
    ) -> None:
        script = Script()
        with pytest.raises(RefusedDownloadError, match="not a valid URL"):
            shell(transport=script).fetch(pointing_at(url))
        assert script.requests == []

    @pytest.mark.parametrize("host", ["198.18.0.7", "8.8.8.8", "[2001:4860::1]", "172.32.0.1"])
    def test_public_address_is_fetched(self, shell: Callable[..., Shell], host: str) -> None:
        assert len(shell(RED).fetch(pointing_at(f"http://{host}/1.png"))) == 1

    def test_name_of_a_private_address_is_refused(self, shell: Callable[..., Shell]) -> None:
        private = [
            *("10.0.0.1", "127.0.0.1", "fe80::1%eth0", "::ffff:127.0.0.1"),
            *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe"),
            *("::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "fd00::1", "::", "0.0.0.0"),
            *("2606:4700::5efe:a00:1", "2606:4700::200:5efe:7f00:1", "64:ff9b::a9fe:a9fe"),
            *("192.0.0.192", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"),
        ]
        homes = {"platform.test": ["8.8.4.4"]}
        client = shell(transport=Script(), resolve=homes.__getitem__)
        for number, address in enumerate(private):
            homes[f"inner{number}.test"] = ["8.8.8.8", address]
            with pytest.raises(RefusedDownloadError):
                client.fetch(pointing_at(f"http://inner{number}.test/1.png"))

    @pytest.mark.parametrize(
        "address", ["8.8.8.8", "2001:4860::1", "64:ff9b::808:808", "2002:808:808::", "198.18.0.7"]
    )
    def test_name_of_a_public_address_is_fetched(
        self, shell: Callable[..., Shell], address: str
    ) -> None:
        homes = {"outer.test": [address], "platform.test": ["8.8.4.4"]}
        client = shell(RED, resolve=homes.__getitem__)
        assert len(client.fetch(pointing_at("http://outer.test/1.png"))) == 1

    def test_the_address_that_was_checked_is_the_one_connected_to(
        self, shell: Callable[..., Shell]
    ) -> None:
        """A name that is asked for twice may lead elsewhere the second time (DNS rebinding)."""
        asked: list[str] = []

        def resolve(host: str) -> tuple[str, ...]:
            asked.append(host)
            return ("127.0.0.1",)

        with misbehaving(Answer(RED)) as server:
            port = server.url.rsplit(":", 1)[1]
            client = shell(base_url="http://127.0.0.9", resolve=resolve)
            made = client.fetch(pointing_at(f"http://nobody-knows.test:{port}/1.png"))
        assert len(made) == 1
        assert asked == ["nobody-knows.test"]

    def test_of_several_addresses_the_next_is_tried(self, shell: Callable[..., Shell]) -> None:
        with misbehaving(Answer(RED)) as server:
            port = server.url.rsplit(":", 1)[1]
            homes = ("127.0.0.7", "127.0.0.1")
            client = shell(base_url="http://127.0.0.9", resolve=lambda _: homes)
            assert len(client.fetch(pointing_at(f"http://nobody-knows.test:{port}/1.png"))) == 1

    def test_host_that_is_allowed_is_fetched(self, shell: Callable[..., Shell]) -> None:
        client = shell(RED, allow_hosts=["192.168.1.1"])
        assert len(client.fetch(pointing_at("http://192.168.1.1/1.png"))) == 1

    @pytest.mark.parametrize(
        ("base", "host"),
        [
            ("http://127.0.0.1:3000", "localhost"),
            ("http://localhost:3000", "[::1]"),
            ("http://192.168.1.5", "192.168.1.6"),
        ],
    )
    def test_neighbour_of_a_private_platform_is_fetched(
        self, shell: Callable[..., Shell], base: str, host: str
    ) -> None:
        client = shell(RED, base_url=base, resolve=lambda _: ["127.0.0.1"])
        assert len(client.fetch(pointing_at(f"http://{host}:9000/1.png"))) == 1

    def test_private_platform_does_not_open_the_other_networks(
        self, shell: Callable[..., Shell]
    ) -> None:
        client = shell(transport=Script(), base_url="http://192.168.1.5")
        with pytest.raises(RefusedDownloadError):
            client.fetch(pointing_at("http://127.0.0.1/1.png"))

    def test_real_names_are_resolved(self, shell: Callable[..., Shell]) -> None:
        with misbehaving(Answer(RED)) as server:
            port = server.url.rsplit(":", 1)[1]
            client = shell(base_url="http://10.0.0.1")
            with pytest.raises(RefusedDownloadError, match="private address of localhost"):
                client.fetch(pointing_at(f"http://localhost:{port}/1.png"))
        assert server.requests == []

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "ftp://x.test/1", "http://", "http://[::1"]
    )
    def test_what_is_no_web_address_is_refused(self, shell: Callable[..., Shell], url: str) -> None:
        with pytest.raises(RefusedDownloadError):
            shell(transport=Script()).fetch(pointing_at(url))

    def test_behind_a_proxy_nobody_resolves(
        self, shell: Callable[..., Shell], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from opeai_nb.client.http.network.resolve import addresses_of, behind_proxy

        assert not behind_proxy("pictures.test")
        monkeypatch.setenv("NO_PROXY", "inner.test")
        assert not behind_proxy("pictures.test")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        assert (behind_proxy("pictures.test"), behind_proxy("inner.test")) == (True, False)
        assert addresses_of("pictures.test") == ()
        assert not behind_proxy("localhost")


class TestWhatCounts:
    @pytest.mark.parametrize("kind", ["text/plain", "image/webp", "application/octet-stream", ""])
    def test_content_decides_not_the_type(self, shell: Callable[..., Shell], kind: str) -> None:
        fetched = shell(Answer(RED, headers={"Content-Type": kind})).fetch(pointing_at(PLACE))
        assert (fetched.pictures[0].format, fetched[0].size) == ("png", (64, 48))

    @pytest.mark.parametrize(
        ("page", "told"),
        [
            ("<!doctype html>\n<title>Log in</title>", "Log in"),
            ('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "AccessDenied"),
            ('{"error": "gone"}', "JSON came instead of the picture: gone."),
            (" \r\n <html><body>Sorry</body></html>", "Sorry"),
            ("<html><body><script>go()</script></body></html>", "it has no words"),
            (
                '<meta http-equiv="refresh" content="0; url=https://p.test/login?t=1">',
                "it redirects to https://p.test/login.",
            ),
        ],
    )
    @pytest.mark.parametrize("chunk", [None, 1])
    def test_page_instead_of_a_picture_is_quoted(
        self, shell: Callable[..., Shell], page: str, told: str, chunk: int | None
    ) -> None:
        came = "JSON came" if page.startswith("{") else "A web page came"
        with pytest.raises(DownloadError, match=came) as caught:
            shell(Answer(page, chunk=chunk)).fetch(pointing_at(PLACE))
        assert told in str(caught.value)

    def test_json_that_is_cut_is_quoted(self, shell: Callable[..., Shell]) -> None:
        client = shell(lambda _: Answer('{"error": "gone'))
        with pytest.raises(DownloadError, match=r"JSON came instead of the picture: \{\"error"):
            client.fetch(pointing_at(PLACE))

    def test_empty_body_is_told(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(DownloadError, match="returned nothing"):
            shell(Answer(b"")).fetch(pointing_at(PLACE))

    def test_expired_url_says_so(self, shell: Callable[..., Shell]) -> None:
        page = "<?xml version='1.0'?><Error><Message>Request has expired</Message></Error>"
        with pytest.raises(DownloadError, match=r"Request has expired.*24 hours") as caught:
            shell(Answer(page, status=403)).fetch(pointing_at(PLACE))
        assert (caught.value.status_code, caught.value.url) == (403, PLACE)

    def test_refusal_without_words_is_told_without_any(self, shell: Callable[..., Shell]) -> None:
        with pytest.raises(DownloadError) as caught:
            shell(Answer("<html><body></body></html>", status=410)).fetch(pointing_at(PLACE))
        assert caught.value.message == "The picture's URL was refused."

    def test_picture_larger_than_the_cap_is_cut(
        self, shell: Callable[..., Shell], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader = picture_reader.PictureReader(limit=1000)
        assert len(list(reader.feed(bytes(1000)))) == 1
        with pytest.raises(Exception, match="larger than any picture"):
            reader.feed(b"x")

    def test_bomb_is_not_decoded(self, shell: Callable[..., Shell]) -> None:
        bomb = bytearray(RED)
        bomb[16:24] = (60_000).to_bytes(4, "big") * 2
        import zlib

        bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
        generation = shell(pictures_answer(bytes(bomb))).generate("a fox")
        with pytest.raises(Exception, match="not an image that can be opened"):
            generation[0]
        assert generation.pictures[0].data == bytes(bomb)


class TestFailuresInPassing:
    @pytest.mark.parametrize(
        "failure",
        [Refuse(), Drop(), Stall(), Answer(RED).half(), Answer(b"", 503), Answer(b"", 429)],
    )
    def test_download_is_tried_again(self, shell: Callable[..., Shell], failure: Any) -> None:
        client = shell(failure, failure, Answer(RED))
        assert client.fetch(pointing_at(PLACE)).pictures[0].data == RED
        assert client.pauses == [0.5, 1.0]

    def test_picture_that_drips_is_given_up_once_and_keeps_its_url(
        self, shell: Callable[..., Shell]
    ) -> None:
        client: Shell
        script = Script(lambda _: dripping(client, RED * 100, seconds=10))
        client = shell(transport=script)
        with pytest.raises(DownloadError, match="too slowly") as caught:
            client.fetch(pointing_at(PLACE))
        assert (len(script.requests), caught.value.pictures[0].url) == (1, PLACE)
        assert client.now - 1000 < 620

    def test_failure_that_lasts_keeps_the_url(self, shell: Callable[..., Shell]) -> None:
        script = Script(lambda _: Refuse())
        with pytest.raises(DownloadError) as caught:
            shell(transport=script).fetch(pointing_at(PLACE))
        assert (len(script.requests), caught.value.pictures[0].url) == (4, PLACE)

    def test_one_of_two_that_fails_is_kept_as_failed(self, shell: Callable[..., Shell]) -> None:
        def serve(request: httpx.Request) -> Answer | bytes:
            return RED if request.url.path == "/1.png" else Answer("<p>gone</p>", status=404)

        generation = shell(serve).fetch(pointing_at(PLACE, "https://pictures.test/2.png"))
        assert (len(generation), len(generation.failed)) == (1, 1)
        assert generation.failed[0].url == "https://pictures.test/2.png"

    def test_pictures_keep_their_order(self, shell: Callable[..., Shell]) -> None:
        urls = [f"https://pictures.test/{number}.png" for number in range(10)]
        generation = shell(lambda request: png(10 + int(request.url.path[1:-4]), 10)).fetch(
            pointing_at(*urls)
        )
        assert [image.width for image in generation] == list(range(10, 20))


class TestIntoAFolder:
    LARGE = RED + bytes(range(256)) * 40

    @pytest.mark.parametrize("form", ["bytes", "url"])
    def test_picture_is_a_file_with_the_very_bytes(
        self, shell: Callable[..., Shell], tmp_path: Path, form: str
    ) -> None:
        plan = (
            [pictures_answer(self.LARGE)]
            if form == "bytes"
            else [pictures_answer(PLACE), self.LARGE]
        )
        generation = shell(*plan).generate("a fox", into=tmp_path / "new" / "folder")
        (path,) = (tmp_path / "new" / "folder").iterdir()
        assert (path.suffix, path.read_bytes()) == (".png", self.LARGE)
        assert (generation.pictures[0].path, generation.pictures[0].data) == (path, self.LARGE)

    def test_cut_leaves_whole_pictures_and_no_halves(
        self, shell: Callable[..., Shell], tmp_path: Path
    ) -> None:
        answer = pictures_answer(self.LARGE, self.LARGE)
        with pytest.raises(OpeaiError, match="cut off") as caught:
            shell(Answer(answer.body, drop_after=len(answer.content) - 3000)).generate(
                "a fox", into=tmp_path
            )
        (path,) = tmp_path.iterdir()
        assert [picture.path for picture in caught.value.pictures] == [path]

    def test_page_is_no_file(self, shell: Callable[..., Shell], tmp_path: Path) -> None:
        with pytest.raises(DownloadError):
            shell(Answer("<p>no</p>")).fetch(pointing_at(PLACE), into=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_folder_that_cannot_be_is_told_before_anything_is_sent(
        self, shell: Callable[..., Shell], tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(b"")
        script = Script()
        with pytest.raises(LibraryError, match="Nothing was sent"):
            shell(transport=script).generate("a fox", into=tmp_path / "file")
        assert script.requests == []

    @pytest.mark.parametrize("filters", ["always", "error"])
    def test_full_disk_costs_no_picture(self, tmp_path: Path, filters: str) -> None:
        """In a process of its own, which may write no file beyond 8 KB."""
        code = (
            "import resource, sys, warnings\n"
            "from pathlib import Path\n"
            "from opeai_nb.client.http.body_sink import Sink\n"
            "from opeai_nb.client.protocol.steps import PictureEnd, Piece\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
            "sink = Sink(Path(sys.argv[1]))\n"
            "with warnings.catch_warnings(record=True) as told:\n"
            "    warnings.simplefilter(sys.argv[2])\n"
            "    sink.take([Piece(0, b'a' * 5000), Piece(0, b'b' * 5000), PictureEnd(0)])\n"
            "assert sink.complete == {0: b'a' * 5000 + b'b' * 5000}, 'other bytes'\n"
            "assert 'held in memory' in str(told[0].message)\n"
            "assert list(Path(sys.argv[1]).iterdir()) == [], 'a half file is left'\n"
        )
        done = run([sys.executable, "-c", code, str(tmp_path), filters])
        assert done.returncode == 0, done.stderr


def test_downloads_of_one_generation_overlap() -> None:
    """The synchronous client fetches them on threads: two that wait for each other both arrive."""
    import threading

    both = threading.Barrier(2, timeout=10)

    def serve(_: httpx.Request) -> bytes:
        both.wait()
        return RED

    client = Shell("sync", Script(serve))
    assert len(client.fetch(pointing_at(PLACE, f"{PLACE}?2"))) == 2
    client.shut()
    assert list(itertools.islice(client.pauses, 1)) == []
