"""redis-py: what an application does on its first day. Arguments: single|cluster, host, port."""
import sys
import threading

import redis
from redis.cluster import ClusterNode, RedisCluster

mode, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
checks = 0


def check(name, got, wanted):
    global checks
    checks += 1
    if got != wanted:
        sys.exit(f"{name}: got {got!r}, wanted {wanted!r}")


def connect(protocol):
    options = {"decode_responses": True, "protocol": protocol}
    if mode == "cluster":
        return RedisCluster(startup_nodes=[ClusterNode(host, port)], **options)
    return redis.Redis(host=host, port=port, **options)


def has(client, command):
    return command.lower() in client.execute_command("COMMAND LIST")


def first_day(client):
    tag = "{py}"
    client.delete(*[f"{tag}{n}" for n in ("s", "n", "h", "set", "w", "l", "z", "x")])
    check("SET", client.set(f"{tag}s", "grüße", ex=100), True)
    check("GET", client.get(f"{tag}s"), "grüße")
    check("TTL", client.ttl(f"{tag}s") > 90, True)
    pipeline = client.pipeline(transaction=False)
    for _ in range(50):
        pipeline.incr(f"{tag}n")
    check("pipeline", pipeline.execute(), list(range(1, 51)))
    for n in range(20):
        client.set(f"py:{n}", n)
    check("all slots", [client.get(f"py:{n}") for n in range(20)], [str(n) for n in range(20)])
    check("HSET", client.hset(f"{tag}h", mapping={"a": "1", "b": "2"}), 2)
    check("HGETALL", client.hgetall(f"{tag}h"), {"a": "1", "b": "2"})
    check("SADD", client.sadd(f"{tag}set", "x", "y"), 2)
    check("SMEMBERS", client.smembers(f"{tag}set"), {"x", "y"})
    multi = client.pipeline(transaction=True)
    multi.set(f"{tag}s", "1").incrby(f"{tag}s", 41)
    check("MULTI", multi.execute()[1], 42)
    check("SCAN", {f"py:{n}" for n in range(20)} <= set(client.scan_iter("py:*")), True)
    try:
        client.hget(f"{tag}s", "f")
        sys.exit("no WRONGTYPE")
    except redis.ResponseError as error:
        check("WRONGTYPE", str(error).startswith("WRONGTYPE"), True)


def newer_types(client):
    tag = "{py}"
    if has(client, "LPUSH"):
        check("RPUSH", client.rpush(f"{tag}l", "a", "b", "c"), 3)
        check("LRANGE", client.lrange(f"{tag}l", 0, -1), ["a", "b", "c"])
        check("BLPOP", list(client.blpop([f"{tag}l"], 1)), [f"{tag}l", "a"])
    if has(client, "ZADD"):
        check("ZADD", client.zadd(f"{tag}z", {"a": 1, "b": 2.5}), 2)
        found = client.zrange(f"{tag}z", 0, -1, withscores=True)
        check("ZRANGE", [tuple(pair) for pair in found], [("a", 1.0), ("b", 2.5)])
    if has(client, "XADD"):
        client.xadd(f"{tag}x", {"f": "v"}, id="1-1")
        check("XLEN", client.xlen(f"{tag}x"), 1)
    if has(client, "EVAL"):
        script = client.register_script("return redis.call('GET', KEYS[1])")
        check("EVALSHA", script(keys=[f"{tag}s"]), "42")


def watch_and_messages(client):
    with client.pipeline() as pipeline:
        pipeline.watch("{py}w")
        client.set("{py}w", "other")
        pipeline.multi()
        pipeline.set("{py}w", "mine")
        try:
            pipeline.execute()
            sys.exit("WATCH saw nothing")
        except redis.WatchError:
            check("WATCH", client.get("{py}w"), "other")
    listener = client.pubsub()
    listener.subscribe("py-news")
    check("subscribed", listener.get_message(timeout=5)["type"], "subscribe")
    threading.Timer(0.1, lambda: client.publish("py-news", "hello")).start()
    check("message", listener.get_message(timeout=5)["data"], "hello")
    listener.close()


for protocol in (2, 3):
    client = connect(protocol)
    first_day(client)
    newer_types(client)
    if mode == "single":
        watch_and_messages(client)
    else:
        check("primaries", len(client.get_primaries()), 2)
    client.close()
print(f"redis-py {redis.__version__}: {checks} checks")
