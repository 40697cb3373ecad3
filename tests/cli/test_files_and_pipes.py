"""What the command reads and writes: pipes, devices, links, modes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.entry import capacity

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = EXAMPLES / "shop-prod.yaml"
COMMAND = [sys.executable, "-m", "capacity"]


def piped(*arguments: str, content: bytes) -> subprocess.CompletedProcess[str]:
    """The command with @ in its arguments as a pipe that gives this content once, as a shell's <(…) does."""
    reader, writer = os.pipe()

    def fill() -> None:
        with open(writer, "wb") as stream:
            stream.write(content)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        return subprocess.run(
            [*COMMAND, *(a.replace("@", f"/dev/fd/{reader}") for a in arguments)],
            pass_fds=(reader,),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(reader)
        thread.join(timeout=30)


class TestAPlanThatIsReadOnce:
    def test_the_answer_is_that_of_the_file_with_its_fix(self) -> None:
        by_file = json.loads(capacity("check", str(SHOP), "-o", "json").stdout)
        done = piped("check", "@", "-o", "json", content=SHOP.read_bytes())
        assert done.returncode == 1
        by_pipe = json.loads(done.stdout)
        assert by_pipe["results"]["fixes"]["best"]
        assert by_pipe["results"] == by_file["results"]
        assert by_pipe["inputs"]["plan"] == "<pipe>"

    def test_standard_input_is_searched_for_a_fix_too(self) -> None:
        by_file = json.loads(capacity("check", str(SHOP), "-o", "json").stdout)
        by_stdin = json.loads(capacity("check", "-", "-o", "json", stdin=SHOP.read_bytes()).stdout)
        assert by_stdin["results"] == by_file["results"]

    def test_the_fix_is_written_from_a_pipe(self, tmp_path: Path) -> None:
        fixed = tmp_path / "fixed.yaml"
        piped("check", "@", "-q", "--fix-out", str(fixed), content=SHOP.read_bytes())
        by_file = tmp_path / "by-file.yaml"
        capacity("check", str(SHOP), "-q", "--fix-out", str(by_file))
        assert fixed.read_text() == by_file.read_text()
        assert capacity("check", str(fixed), "-q").code == 0

    def test_the_report_states_the_hash_of_what_was_read(self) -> None:
        done = piped("report", "@", "-q", "-o", "md", content=SHOP.read_bytes())
        assert done.returncode == 0
        assert hashlib.sha256(SHOP.read_bytes()).hexdigest()[:12] in done.stdout
        assert "capacity report - " in done.stdout

    def test_annotations_of_a_pipe_name_no_file(self) -> None:
        done = piped("check", "@", "-q", "-o", "github", "--no-fixes", content=SHOP.read_bytes())
        assert "::error title=IP001" in done.stdout
        assert "file=" not in done.stdout

    @pytest.mark.parametrize(
        "verb",
        [
            ("compare", "@", "--set", "cni.env.WARM_IP_TARGET=2"),
            ("warm", "@"),
            ("size", "@", "--vpc-cidr", "100.64.0.0/22"),
        ],
    )
    def test_other_verbs(self, verb: tuple[str, ...]) -> None:
        done = piped(*verb, "-q", content=SHOP.read_bytes())
        assert done.returncode == 0
        assert done.stdout

    def test_a_snapshot_is_recorded_from_a_pipe(self, tmp_path: Path) -> None:
        into = str(tmp_path / "h.db")
        answer = {"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/24", "AvailableIpAddressCount": 7}
        for content in (SHOP.read_bytes(), json.dumps({"Subnets": [answer]}).encode()):
            assert piped("record", "@", "--into", into, content=content).returncode == 0
        rows = json.loads(capacity("record", "--list", "--into", into, "-o", "json").stdout)["results"]["recorded"]
        assert [r["subnets"] for r in rows] == [3, 1]

    def test_a_history_through_a_pipe(self) -> None:
        text = "time,subnet,free\n" + "".join(f"2026-10-{d:02d},a,{200 - d}\n" for d in range(1, 31))
        done = piped("forecast", "--history", "@", "--usable", "251", "-q", content=text.encode())
        assert done.returncode == 0


class TestEndlessInput:
    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
    @pytest.mark.parametrize(
        "arguments",
        [
            ("check",),
            ("record", "--into", "never.db"),
            ("forecast", "--history"),
            ("import", "cloudformation"),
            ("import", "kubectl"),
            ("import", "terraform"),
        ],
    )
    def test_a_device_without_end_is_refused(
        self, device: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        done = capacity(*arguments, device)
        assert done.code == 2
        assert done.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


class TestOutFile:
    ASKED = ("maxpods", "m5.large", "-q", "--out-file")

    def test_dev_stdout_is_standard_output(self) -> None:
        done = subprocess.run([*COMMAND, *self.ASKED, "/dev/stdout"], capture_output=True, text=True, check=True)
        assert done.stdout == capacity("maxpods", "m5.large", "-q").stdout
        assert Path("/dev/stdout").is_symlink()

    def test_a_dash_is_standard_output(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert capacity(*self.ASKED, "-").stdout == capacity("maxpods", "m5.large", "-q").stdout
        assert list(tmp_path.iterdir()) == []

    def test_it_is_appended_where_the_shell_appends(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("before\n")
        line = f'"$@" --out-file /dev/stdout >> "{log}"'
        subprocess.run(["sh", "-c", line, "sh", *COMMAND, "maxpods", "m5.large", "-q"], check=True)
        assert log.read_text() == "before\n" + capacity("maxpods", "m5.large", "-q").stdout

    def test_a_link_to_a_file_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("old")
        (tmp_path / "link").symlink_to("real")
        assert capacity(*self.ASKED, str(tmp_path / "link")).code == 0
        assert (tmp_path / "link").is_symlink()
        assert "m5.large" in (tmp_path / "real").read_text()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
    def test_a_device_node_stays_one(self, tmp_path: Path) -> None:
        node = tmp_path / "null"
        try:
            os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            node.symlink_to(os.devnull)
        assert capacity(*self.ASKED, str(node)).code == 0
        assert stat.S_ISCHR(node.stat().st_mode)
        assert [p.name for p in tmp_path.iterdir()] == ["null"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("maxpods", "m5.large", "-q", "--out-file", "@"),
            ("init", "@", "--example", "small", "-q"),
            ("check", str(SHOP), "-q", "--fix-out", "@"),
            ("report", str(SHOP), "-q", "-o", "md", "--out-file", "@"),
            ("report", str(SHOP), "-q", "-o", "xlsx", "--out-file", "@"),
        ],
    )
    def test_the_umask_holds_for_every_command(self, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        target = tmp_path / "out.yaml"
        before = os.umask(0o027)
        try:
            done = capacity(*(a.replace("@", str(target)) for a in arguments))
        finally:
            os.umask(before)
        assert done.stderr == ""
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
