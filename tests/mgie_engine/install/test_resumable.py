import pytest

from mgie_engine.errors import ModelError
from mgie_engine.install.resumable import Unavailable, download
from tests.support.file_server import serving

DATA = bytes(range(256)) * 2**14  # 4 MiB
MOST = 8 * 2**20


@pytest.fixture
def server(tmp_path):
    (tmp_path / "served").mkdir()
    file = tmp_path / "served" / "file"
    file.write_bytes(DATA)
    with serving(file) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home"


def fetched(server, folder, most=MOST, room=lambda size: None):
    return download(server.url, folder, "file", most, room).read_bytes()


def stopped(server, folder):
    """A download of 1 MiB and a half that was killed then."""
    server.breaks = [3 * 2**19, 0, 0, 0]
    with pytest.raises(
        ModelError, match=r"file stopped coming .*; the same command goes on where it stopped"
    ):
        fetched(server, folder)
    assert (folder / "file.part").stat().st_size == 3 * 2**19
    server.asked.clear()
    server.breaks.clear()


def test_a_file_comes_whole_and_leaves_nothing_beside_it(server, folder):
    assert fetched(server, folder) == DATA
    assert [file.name for file in folder.iterdir()] == ["file"]
    assert server.headers[0]["Accept-Encoding"] == "identity"
    assert "Authorization" not in server.headers[0]


def test_a_broken_connection_is_taken_up_where_it_broke(server, folder):
    server.breaks = [2**20, 2**19]
    assert fetched(server, folder) == DATA
    assert server.asked == [None, f"bytes={2**20}-", f"bytes={2**20 + 2**19}-"]


def test_a_killed_program_goes_on_where_it_stopped(server, folder):
    stopped(server, folder)
    assert fetched(server, folder) == DATA
    assert server.asked == [f"bytes={3 * 2**19}-"]


def test_what_has_come_is_not_asked_for_again(server, folder):
    stopped(server, folder)
    with (folder / "file.part").open("ab") as part:
        part.write(DATA[3 * 2**19 :])
    assert fetched(server, folder) == DATA == fetched(server, folder)
    assert server.asked == []


def test_two_versions_of_a_file_are_never_joined(server, folder):
    stopped(server, folder)
    server.tag = '"2"'
    server.file.write_bytes(newer := DATA[::-1])
    assert fetched(server, folder) == newer


def test_a_server_without_parts_sends_everything_again(server, folder):
    stopped(server, folder)
    server.ranges = False
    assert fetched(server, folder) == DATA


def test_the_file_of_another_address_is_not_gone_on_with(server, folder, tmp_path):
    stopped(server, folder)
    with serving(server.file) as mirror:
        assert fetched(mirror, folder) == DATA
        assert mirror.asked == [None]


def test_a_part_that_was_not_asked_for_is_thrown_away(server, folder):
    stopped(server, folder)
    server.shifted = 7
    assert fetched(server, folder) == DATA
    assert server.asked == [f"bytes={3 * 2**19}-", None]


def test_a_partial_file_of_unknown_origin_is_begun_anew(server, folder):
    folder.mkdir()
    (folder / "file.part").write_bytes(b"?" * 100)
    assert fetched(server, folder) == DATA


@pytest.mark.parametrize("announced", [300 * 2**20, 2**62])
def test_a_file_beyond_the_bound_is_not_begun(server, folder, announced):
    server.announced = announced
    with pytest.raises(Unavailable, match=f"announces a size of {announced}, and at most {MOST} bytes"):
        fetched(server, folder)
    assert not list(folder.iterdir())


def test_no_more_comes_than_was_announced(server, folder):
    server.announced = 5
    assert fetched(server, folder) == DATA[:5]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_told_with_its_status(server, folder, status):
    server.status = status
    with pytest.raises(Unavailable, match=f"answered {status} and not with the file"):
        fetched(server, folder)


def test_a_redirect_is_named_and_not_followed(server, folder):
    server.status, server.location = 302, "http://127.0.0.1:9/elsewhere"
    with pytest.raises(Unavailable, match=r"answered 302, which leads to http://127\.0\.0\.1:9/elsewhere,"):
        fetched(server, folder)


def test_a_server_that_cannot_be_reached_is_an_error_with_its_reason(folder):
    with pytest.raises(Unavailable, match=r"could not be reached: .*refused"):
        download("http://127.0.0.1:9/file", folder, "file", MOST, lambda size: None)


def test_room_is_asked_for_before_the_rest_comes(server, folder):
    def refuse(size):
        raise ModelError(f"no room for {size}")

    with pytest.raises(ModelError, match=f"no room for {len(DATA)}"):
        fetched(server, folder, room=refuse)
    assert (folder / "file.part").stat().st_size == 0
