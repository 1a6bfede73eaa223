"""The addresses of the stack: only this machine's, and with DOCKER=1 those that its containers use."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from local.settings import Settings
from local.stack import Stack
from tests.stack.running import RunningStack

_LISTEN = "0A"  # the kernel's include/net/tcp_states.h


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text()
        except FileNotFoundError:  # a thread that has ended since
            continue
        for child in children.split():
            yield from _descendants(int(child))


def _listening(pid: int) -> set[tuple[str, int]]:
    """(address, port) of every TCP socket on which a process and its children listen, IPv6 included."""
    inodes = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for one in _descendants(pid)
        for link in Path(f"/proc/{one}/fd").iterdir()
        if link.is_symlink() and str(link.readlink()).startswith("socket:")
    }
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            address, port = fields[1].split(":")
            if fields[3] == _LISTEN and fields[9] in inodes:
                found.add((_readable(address), int(port, 16)))
    return found


def _readable(hexadecimal: str) -> str:
    """The kernel writes the bytes of an address in reverse order, four at a time."""
    raw = bytes.fromhex(hexadecimal)
    turned = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    return str(ipaddress.ip_address(turned))


def test_only_this_machine_reaches_the_stack(stack: RunningStack) -> None:
    ports = {int(url.rpartition(":")[2]) for url in (stack.base_url, stack.aws_url, stack.simulators_url)}
    assert _listening(stack.pid) == {("127.0.0.1", port) for port in ports}


def test_with_containers_every_part_listens_where_they_look(tmp_path: Path) -> None:
    """127.0.0.2 stands for the bridge's address; no packets from outside arrive there either."""
    settings = Settings(port=0, containers=True, extra_hosts=("127.0.0.2",), state_root=tmp_path)
    with (tmp_path / "log").open("w") as log, Stack(settings, log) as stack:
        urls = (stack.base_url, stack.aws_url, str(stack.simulators_url))
        ports = {int(url.rpartition(":")[2]) for url in urls}
        found = {each for each in _listening_of_this_process() if each[1] in ports}
    assert found == {(host, port) for host in ("127.0.0.1", "127.0.0.2") for port in ports}


def _listening_of_this_process() -> set[tuple[str, int]]:
    return _listening(int(Path("/proc/self").readlink().name))
