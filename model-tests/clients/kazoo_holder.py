"""Two sessions with ephemerals and watches, held until a line comes in: kazoo_holder.py HOSTS."""

import sys

from kazoo.client import KazooClient

first, second = (KazooClient(hosts=sys.argv[1]) for _ in range(2))
first.start()
second.start()
first.ensure_path("/a/b")
first.create("/a/e", b"x", ephemeral=True)
first.create("/a/f", b"y", ephemeral=True)
first.get("/a/b", watch=print)
first.exists("/q", watch=print)
first.get_children("/a", watch=print)
second.get("/a/b", watch=print)
second.sync("/")
print("ready", flush=True)
sys.stdin.readline()
first.stop()
second.stop()
