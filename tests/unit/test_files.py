"""Files: written whole or in place, their mode and links kept, and read with a bound."""

from __future__ import annotations

import io
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.errors import SpecError
from capacity.files import LARGEST_BYTES, PIPE, STDIN, input_name, interrupts_wait, read_bytes, read_stream, write_file


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestWriting:
    def test_a_new_file_byte_for_byte(self, tmp_path: Path) -> None:
        write_file(tmp_path / "a.txt", "✓ text\r\n")
        assert (tmp_path / "a.txt").read_bytes() == "✓ text\r\n".encode()
        assert mode(tmp_path / "a.txt") == 0o644

    @pytest.mark.usefixtures("umask")
    def test_the_umask_decides_who_may_read_a_new_file(self, tmp_path: Path) -> None:
        write_file(tmp_path / "a.txt", "new")
        assert mode(tmp_path / "a.txt") == 0o600

    @pytest.mark.usefixtures("umask")
    def test_a_file_that_is_there_keeps_its_mode(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("old")
        (tmp_path / "a.txt").chmod(0o664)
        write_file(tmp_path / "a.txt", "new")
        assert ((tmp_path / "a.txt").read_text(), mode(tmp_path / "a.txt")) == ("new", 0o664)

    def test_a_reader_of_the_old_file_goes_on_reading_it(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("old")
        with (tmp_path / "a.txt").open() as reader:
            write_file(tmp_path / "a.txt", "new")
            assert reader.read() == "old"

    @pytest.mark.parametrize("target", ["real", "sub/real", "not-there-yet"])
    def test_a_link_is_followed(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "sub").mkdir()
        for name in ("real", "sub/real"):
            (tmp_path / name).write_text("old")
        (tmp_path / "middle").symlink_to(target)
        (tmp_path / "link").symlink_to("middle")
        write_file(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "middle").is_symlink()
        assert (tmp_path / target).read_text() == "new"

    def test_links_in_a_ring(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        with pytest.raises(SpecError, match="Too many levels of symbolic links"):
            write_file(tmp_path / "a", "new")

    def test_a_fifo_is_written_into(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        got: list[str] = []
        reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_text()))
        reader.start()
        write_file(tmp_path / "fifo", "x" * 100_000)  # more than a pipe holds
        reader.join(timeout=30)
        assert got == ["x" * 100_000]
        assert [p.name for p in tmp_path.iterdir()] == ["fifo"]

    def test_an_open_descriptor_goes_on_where_it_is(self, tmp_path: Path) -> None:
        with (tmp_path / "log").open("ab") as log:
            log.write(b"first\n")
            log.flush()
            for place in ("/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd", "/proc/thread-self/fd"):
                write_file(f"{place}/{log.fileno()}", "more\n")
            log.write(b"last\n")
        assert (tmp_path / "log").read_text() == "first\n" + 4 * "more\n" + "last\n"

    def test_a_reader_that_has_gone_away_is_no_error(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        write_file(f"/dev/fd/{writer}", "x")
        os.close(writer)

    def test_a_device_stays_a_device(self) -> None:
        write_file(os.devnull, "x")
        assert stat.S_ISCHR(os.stat(os.devnull).st_mode)

    def test_a_full_device_is_one_line(self) -> None:
        with pytest.raises(SpecError, match=r"^--out-file 'x': No space left on device$"):
            write_file("/dev/full", "x", "--out-file 'x'")

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("none/a.txt", "'none/a.txt': No such file or directory"),
            (".", "'.': Is a directory"),
            ("/dev/fd/9999", "Bad file descriptor"),
            ("a\0b", "cannot name a file"),
        ],
    )
    def test_what_cannot_be_written(self, path: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            write_file(path, "x")

    def test_a_failure_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.txt").write_text("old")

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SpecError, match="No space left on device"):
            write_file(tmp_path / "a.txt", "new")
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]

    def test_a_file_in_a_folder_that_may_not_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.txt").write_text("much longer than the new text")
        opened = os.open

        def read_only(path: os.PathLike[str] | str, flags: int, *mode: int) -> int:
            if flags & os.O_CREAT:
                raise PermissionError(13, "Permission denied")
            return opened(path, flags, *mode)

        monkeypatch.setattr(os, "open", read_only)
        write_file(tmp_path / "a.txt", "new")
        assert (tmp_path / "a.txt").read_text() == "new"
        with pytest.raises(SpecError, match="Permission denied"):
            write_file(tmp_path / "b.txt", "new")

    def test_a_file_mounted_alone_cannot_be_replaced_and_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.txt").write_text("old")

        def busy(*_: object) -> None:
            raise OSError(16, "Device or resource busy")

        monkeypatch.setattr(os, "replace", busy)
        write_file(tmp_path / "a.txt", "new")
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "new")]


class TestInterrupts:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("call", ["open", "fchmod", "write", "replace"])
    def test_one_that_comes_meanwhile_takes_effect_when_the_file_is_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
    ) -> None:
        (tmp_path / "a.txt").write_text("old")
        real = getattr(os, call)

        def interrupted(*arguments: object, **named: object) -> object:
            done = real(*arguments, **named)
            os.kill(os.getpid(), number)
            return done

        class Came(Exception):
            pass

        def came(*_: object) -> None:
            raise Came

        before = signal.signal(number, came)
        try:
            monkeypatch.setattr(os, call, interrupted)
            with pytest.raises(Came):
                write_file(tmp_path / "a.txt", "new")
            monkeypatch.undo()
            assert signal.getsignal(number) is came
        finally:
            signal.signal(number, before)
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "new")]

    def test_what_a_shell_has_ignored_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with interrupts_wait():
                assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_in_another_thread_nothing_is_touched(self, tmp_path: Path) -> None:
        thread = threading.Thread(target=write_file, args=(tmp_path / "a.txt", "new"))
        thread.start()
        thread.join(timeout=30)
        assert (tmp_path / "a.txt").read_text() == "new"


class TestReading:
    def test_an_endless_device_stops_at_the_bound(self) -> None:
        with pytest.raises(SpecError, match=r"^/dev/zero: larger than 1 MB "):
            read_bytes("/dev/zero", largest=1 << 20)

    def test_the_bound_itself_is_allowed(self) -> None:
        assert read_stream(io.BytesIO(b"x" * 10), "x", 10) == b"x" * 10
        with pytest.raises(SpecError):
            read_stream(io.BytesIO(b"x" * 11), "x", 10)
        assert LARGEST_BYTES == 134_217_728

    def test_names_of_what_has_none(self, tmp_path: Path) -> None:
        reader, writer = os.pipe()
        assert [input_name(p) for p in ("-", "/dev/stdin", f"/dev/fd/{reader}")] == [STDIN, STDIN, PIPE]
        assert input_name(tmp_path / "a.yaml") == str(tmp_path / "a.yaml")
        os.close(reader)
        os.close(writer)

    def test_standard_input_that_is_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", None)
        with pytest.raises(SpecError, match="<stdin>: standard input is closed"):
            read_bytes("-")
