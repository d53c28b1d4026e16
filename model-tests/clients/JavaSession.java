import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** What Apache's shell cannot do, with its client library: multi, async pipelines, moving a session. Usage: JavaSession HOSTS. */
public final class JavaSession {
    private final String hosts;
    private final BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
    private Client zk;

    private JavaSession(String hosts) {
        this.hosts = hosts;
    }

    public static void main(String[] args) throws Exception {
        JavaSession session = new JavaSession(args[0]);
        session.zk = session.connect(0, null);
        session.multi();
        session.pipeline();
        session.watches();
        session.survivesItsServer();
        session.moves();
        session.closes();
    }

    private static void ok(String step) {
        System.out.println("ok " + step);
    }

    private static void check(boolean condition, Object found) {
        if (!condition) {
            throw new AssertionError(String.valueOf(found));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Client connect(long sessionId, byte[] password) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        Watcher watcher = event -> {
            if (event.getType() == EventType.None && event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
            events.add(event);
        };
        Client client = sessionId == 0
            ? new Client(hosts, watcher)
            : new Client(hosts, watcher, sessionId, password);
        check(connected.await(20, TimeUnit.SECONDS), "no connection");
        return client;
    }

    private void multi() throws Exception {
        List<OpResult> results = zk.multi(Arrays.asList(
            Op.create("/j", bytes("one"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create("/j/s-", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.setData("/j", bytes("two"), 0),
            Op.check("/j", 1),
            Op.create("/j/gone", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.delete("/j/gone", 0)));
        check(((OpResult.CreateResult) results.get(1)).getPath().equals("/j/s-0000000000"), results);
        check(((OpResult.SetDataResult) results.get(2)).getStat().getVersion() == 1, results);
        check(results.size() == 6 && zk.exists("/j/gone", false) == null, results);
        try {
            zk.multi(Arrays.asList(
                Op.setData("/j", bytes("never"), -1),
                Op.check("/j", 9),
                Op.delete("/j", -1)));
            check(false, "a failing multi was done");
        } catch (KeeperException.BadVersionException expected) {
            List<Integer> codes = new ArrayList<>();
            for (OpResult result : expected.getResults()) {
                codes.add(((OpResult.ErrorResult) result).getErr());
            }
            check(codes.equals(Arrays.asList(0, -103, -2)), codes);
        }
        check(new String(zk.getData("/j", false, null), StandardCharsets.UTF_8).equals("two"), "rolled back");
        ok("multi");
    }

    private void pipeline() throws Exception {
        int count = 2000;
        CountDownLatch done = new CountDownLatch(2 * count);
        List<Integer> versions = new ArrayList<>();
        List<Integer> wrong = new ArrayList<>();
        zk.create("/j/p", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        for (int i = 1; i <= count; i++) {
            int version = i;
            zk.setData("/j/p", bytes("value " + i), -1, (rc, path, context, stat) -> {
                versions.add(stat.getVersion());
                done.countDown();
            }, null);
            // Pipelined behind a write of the same session, a read sees that write.
            zk.getData("/j/p", false, (rc, path, context, data, stat) -> {
                if (rc != 0 || stat.getVersion() != version) {
                    wrong.add(version);
                }
                done.countDown();
            }, null);
        }
        check(done.await(60, TimeUnit.SECONDS), done.getCount());
        check(wrong.isEmpty() && versions.get(count - 1) == count, wrong);
        ok("pipeline");
    }

    private void watches() throws Exception {
        events.clear();
        zk.getData("/j", true, null);
        zk.getChildren("/j", true);
        zk.exists("/j/later", true);
        zk.create("/j/later", bytes(""), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        await(EventType.NodeCreated, "/j/later");
        await(EventType.NodeChildrenChanged, "/j");
        zk.setData("/j", bytes("three"), -1);
        await(EventType.NodeDataChanged, "/j");
        zk.setData("/j", bytes("four"), -1);
        check(events.poll(200, TimeUnit.MILLISECONDS) == null, "a one-shot watch fired twice");
        ok("watches");
    }

    private void await(EventType type, String path) throws Exception {
        WatchedEvent event = events.poll(20, TimeUnit.SECONDS);
        check(event != null && event.getType() == type && path.equals(event.getPath()), event);
    }

    private void survivesItsServer() throws Exception {
        long id = zk.getSessionId();
        zk.getData("/j", true, null);
        events.clear();
        System.out.println("kill the server of session " + Long.toHexString(id));
        System.in.read();
        while (true) {
            try {
                zk.setData("/j", bytes("five"), -1);
                break;
            } catch (KeeperException.ConnectionLossException again) {
                Thread.sleep(50);
            }
        }
        WatchedEvent event = events.poll(20, TimeUnit.SECONDS);
        check(event != null && event.getState() == KeeperState.Disconnected, event);
        event = events.poll(20, TimeUnit.SECONDS);
        check(event != null && event.getState() == KeeperState.SyncConnected, event);
        await(EventType.NodeDataChanged, "/j");
        check(zk.getSessionId() == id, "another session");
        check(zk.exists("/j/s-0000000000", false).getEphemeralOwner() == id, "the ephemeral of a live session is gone");
        ok("survives its server");
    }

    /** Whoever holds a session's id and password owns it. */
    private void moves() throws Exception {
        Client old = zk;
        old.leave();
        byte[] wrong = old.getSessionPasswd().clone();
        wrong[3] ^= 1;
        CountDownLatch expired = new CountDownLatch(1);
        ZooKeeper thief = new ZooKeeper(hosts, 10_000, event -> {
            if (event.getState() == KeeperState.Expired) {
                expired.countDown();
            }
        }, old.getSessionId(), wrong);
        check(expired.await(20, TimeUnit.SECONDS), "a wrong password was taken");
        thief.close();
        zk = connect(old.getSessionId(), old.getSessionPasswd());
        zk.sync("/j", (rc, path, context) -> { }, null);
        Stat stat = zk.exists("/j/s-0000000000", false);
        check(stat != null && stat.getEphemeralOwner() == old.getSessionId(), stat);
        ok("moves");
    }

    private void closes() throws Exception {
        zk.close();
        zk = connect(0, null);
        // Perhaps another server, which may be behind.
        zk.sync("/j", (rc, path, context) -> { }, null);
        check(zk.exists("/j/s-0000000000", false) == null, "an ephemeral outlived its session");
        zk.delete("/j/p", 2000);
        zk.delete("/j/later", -1);
        zk.delete("/j", -1);
        check(zk.getChildren("/", false).equals(List.of("zookeeper")), zk.getChildren("/", false));
        zk.close();
        ok("closes");
    }

    /** A client that can go without closing its session, as a crashed process does. */
    private static final class Client extends ZooKeeper {
        Client(String hosts, Watcher watcher) throws IOException {
            super(hosts, 10_000, watcher);
        }

        Client(String hosts, Watcher watcher, long sessionId, byte[] password) throws IOException {
            super(hosts, 10_000, watcher, sessionId, password);
        }

        void leave() {
            cnxn.disconnect();
        }
    }
}
