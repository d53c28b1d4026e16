"""A full session with kazoo, unmodified: usage kazoo_session.py HOSTS.

Every step prints "ok NAME"; the first wrong answer ends it with a traceback. When it prints "kill the server", whoever runs it
kills the server that this client is connected to (and starts it again, or not) and then sends a line.
"""

import logging
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.protocol.states import EventType
from kazoo.security import make_digest_acl

HOSTS = sys.argv[1]
logging.basicConfig(level=logging.ERROR)


def connect(**options):
    client = KazooClient(hosts=HOSTS, timeout=10.0, **options)
    client.start(timeout=20)
    return client


def ok(name):
    print("ok", name, flush=True)


def raises(error, call, *args, **options):
    try:
        call(*args, **options)
    except error:
        return
    raise AssertionError("%s was not raised" % error.__name__)


def eventually(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain: " + what
        time.sleep(0.02)


class Events:
    """Collects watch events, which arrive on kazoo's own thread."""

    def __init__(self):
        self.seen = []

    def __call__(self, event):
        self.seen.append((event.type, event.path))

    def wait(self, *expected):
        eventually("%r, saw %r" % (expected, self.seen), lambda: len(self.seen) >= len(expected))
        assert self.seen == list(expected), self.seen
        self.seen = []


def create_and_read(zk):
    assert zk.create("/k", b"one") == "/k"
    raises(NodeExistsError, zk.create, "/k")
    data, stat = zk.get("/k")
    assert data == b"one" and stat.version == 0 and stat.dataLength == 3 and stat.czxid == stat.mzxid
    assert zk.exists("/k") == stat
    assert zk.exists("/k/none") is None
    raises(NoNodeError, zk.get, "/k/none")
    raises(NoNodeError, zk.create, "/k/a/b")
    assert zk.create("/k/a/b", b"deep", makepath=True) == "/k/a/b"
    assert zk.create("/k/unicode-é-中", "é".encode()) == "/k/unicode-é-中"
    assert zk.get("/k/unicode-é-中")[0] == "é".encode()
    path, stat = zk.create("/k/c2", b"x", include_data=True)
    assert path == "/k/c2" and stat.numChildren == 0
    zk.create("/k/empty", b"")
    assert zk.get("/k/empty")[0] == b""


def set_with_version(zk):
    stat = zk.set("/k", b"two", version=0)
    assert stat.version == 1 and stat.mzxid > stat.czxid
    raises(BadVersionError, zk.set, "/k", b"never", version=0)
    raises(BadVersionError, zk.delete, "/k/c2", version=5)
    zk.delete("/k/c2", version=0)
    assert zk.set("/k", b"three").version == 2
    assert zk.get("/k")[0] == b"three"


def children(zk):
    assert sorted(zk.get_children("/k")) == ["a", "empty", "unicode-é-中"]
    names, stat = zk.get_children("/k", include_data=True)
    assert len(names) == stat.numChildren == 3
    raises(NotEmptyError, zk.delete, "/k/a")
    zk.delete("/k/a", recursive=True)
    raises(NoNodeError, zk.get_children, "/k/a")


def ephemeral_and_sequential(zk):
    session_id = zk.client_id[0]
    zk.create("/k/e", b"", ephemeral=True)
    assert zk.exists("/k/e").ephemeralOwner == session_id
    raises(NoChildrenForEphemeralsError, zk.create, "/k/e/child")
    paths = [zk.create("/k/s-", sequence=True) for _ in range(3)]
    numbers = [int(path[-10:]) for path in paths]
    assert numbers == list(range(numbers[0], numbers[0] + 3)), paths
    other = connect()
    other.create("/k/other", ephemeral=True)
    gone = Events()
    # A client of another server may be behind; sync catches up.
    zk.sync("/k")
    assert zk.exists("/k/other", watch=gone)
    other.stop()
    gone.wait((EventType.DELETED, "/k/other"))


def watches(zk):
    events = Events()
    zk.get("/k", watch=events)
    zk.set("/k", b"w1")
    zk.set("/k", b"w2")
    events.wait((EventType.CHANGED, "/k"))
    zk.get_children("/k", watch=events)
    zk.create("/k/new")
    events.wait((EventType.CHILD, "/k"))
    assert zk.exists("/k/later", watch=events) is None
    zk.create("/k/later")
    events.wait((EventType.CREATED, "/k/later"))
    zk.get("/k/later", watch=events)
    zk.delete("/k/later")
    events.wait((EventType.DELETED, "/k/later"))


def data_and_children_watch(zk):
    values, lists = [], []
    zk.DataWatch("/k/new", lambda data, stat: values.append(data))
    zk.ChildrenWatch("/k/new", lambda names: lists.append(sorted(names)))
    zk.set("/k/new", b"1")
    eventually("the first value", lambda: values[-1:] == [b"1"])
    zk.set("/k/new", b"2")
    eventually("the second value", lambda: values[-1:] == [b"2"])
    zk.create("/k/new/x")
    eventually("one child", lambda: lists[-1:] == [["x"]])
    zk.create("/k/new/y")
    eventually("two children", lambda: lists[-1:] == [["x", "y"]])
    zk.delete("/k/new", recursive=True)
    eventually("the end", lambda: values[-1:] == [None])


def transactions(zk):
    t = zk.transaction()
    t.create("/k/t", b"a")
    t.set_data("/k/t", b"b")
    t.check("/k/t", version=1)
    t.create("/k/t/s-", sequence=True)
    t.delete("/k/empty")
    results = t.commit()
    assert results[0] == "/k/t" and results[1].version == 1 and results[2] is True and results[4] is True, results
    assert results[3].startswith("/k/t/s-") and zk.exists(results[3]), results
    t = zk.transaction()
    t.create("/k/u")
    t.check("/k/t", version=77)
    t.delete("/k/t")
    results = t.commit()
    assert isinstance(results[0], RolledBackError), results
    assert isinstance(results[1], BadVersionError), results
    assert isinstance(results[2], RuntimeInconsistency), results
    assert zk.exists("/k/u") is None and zk.exists("/k/t")


def access_control(zk):
    acl = make_digest_acl("alice", "secret", all=True)
    zk.create("/k/private", b"p", acl=[acl])
    raises(NoAuthError, zk.get, "/k/private")
    zk.add_auth("digest", "alice:secret")
    assert zk.get("/k/private")[0] == b"p"
    acls, stat = zk.get_acls("/k/private")
    assert acls == [acl] and stat.aversion == 0
    zk.set_acls("/k/private", [acl, make_digest_acl("carol", "word", read=True)], version=0)
    carol = connect(auth_data=[("digest", "carol:word")])
    carol.sync("/k")
    assert carol.get("/k/private")[0] == b"p"
    raises(NoAuthError, carol.set, "/k/private", b"never")
    carol.stop()


def recipes(zk):
    other = connect()
    mine, theirs = zk.Lock("/k/lock", "mine"), other.Lock("/k/lock", "theirs")
    assert mine.acquire(timeout=10)
    assert not theirs.acquire(blocking=False)
    assert mine.contenders() == ["mine"]
    got = threading.Event()
    waiter = threading.Thread(target=lambda: theirs.acquire(timeout=20) and got.set())
    waiter.start()
    eventually("two contenders", lambda: mine.contenders() == ["mine", "theirs"])
    assert not got.is_set()
    mine.release()
    assert got.wait(20)
    waiter.join()
    other.stop()
    assert mine.acquire(timeout=20), "a lock whose owner has left is free"
    mine.release()
    counter = zk.Counter("/k/counter")
    counter += 2
    counter -= 5
    assert counter.value == -3
    queue = zk.Queue("/k/queue")
    queue.put(b"first")
    queue.put(b"second")
    assert queue.get() == b"first" and queue.get() == b"second" and queue.get() is None


def pipelining(zk):
    zk.create("/k/p", b"0")
    pending = [zk.set_async("/k/p", b"%d" % i) for i in range(1, 201)]
    reads = [zk.get_async("/k/p") for _ in range(50)]
    assert [p.get().version for p in pending] == list(range(1, 201))
    assert all(read.get()[0] == b"200" for read in reads)
    assert zk.sync("/k/p") == "/k/p"


def survives_its_server(zk):
    states = []
    zk.add_listener(states.append)
    session_id = zk.client_id[0]
    zk.create("/k/alive", ephemeral=True)
    values = []
    zk.DataWatch("/k", lambda data, stat: values.append(data))
    print("kill the server %s:%s" % zk._connection._socket.getpeername()[:2], flush=True)
    sys.stdin.readline()
    zk.retry(zk.get, "/k")
    eventually("a new connection", lambda: KazooState.CONNECTED in states)
    assert states[0] == KazooState.SUSPENDED and KazooState.LOST not in states, states
    assert zk.client_id[0] == session_id
    assert zk.exists("/k/alive").ephemeralOwner == session_id
    zk.retry(zk.set, "/k", b"after")
    eventually("the watch that was set before", lambda: values[-1:] == [b"after"])
    assert zk.get("/k/private")[0] == b"p", "the client authenticates anew"


def main():
    zk = connect()
    assert zk.server_version()[:2] >= (3, 8)
    for step in (
        create_and_read,
        set_with_version,
        children,
        ephemeral_and_sequential,
        watches,
        data_and_children_watch,
        transactions,
        access_control,
        recipes,
        pipelining,
        survives_its_server,
    ):
        step(zk)
        ok(step.__name__)
    zk.delete("/k", recursive=True)
    zk.stop()
    zk.close()
    ok("end")


main()
