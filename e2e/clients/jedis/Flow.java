// Jedis: what an application does on its first day. Arguments: single|cluster, host, port.

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisCluster;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;

public class Flow {
  static int checks = 0;

  static void check(String name, Object got, Object wanted) {
    checks++;
    if (!got.equals(wanted)) {
      System.err.println(name + ": got " + got + ", wanted " + wanted);
      System.exit(1);
    }
  }

  public static void main(String[] args) throws Exception {
    HostAndPort address = new HostAndPort(args[1], Integer.parseInt(args[2]));
    boolean cluster = args[0].equals("cluster");
    try (UnifiedJedis client = cluster ? new JedisCluster(Set.of(address)) : new JedisPooled(address)) {
      firstDay(client);
      Set<String> known = commands(address);
      newerTypes(client, known);
      if (!cluster) watchAndMessages(client, address);
    }
    System.out.println("Jedis: " + checks + " checks");
  }

  static Set<String> commands(HostAndPort address) {
    try (Jedis jedis = new Jedis(address)) {
      return Set.copyOf(jedis.commandList());
    }
  }

  static void firstDay(UnifiedJedis client) {
    for (String name : List.of("s", "n", "h", "set", "w", "l", "z", "x")) client.del("{java}" + name);
    check("SET", client.set("{java}s", "grüße", SetParams.setParams().ex(100)), "OK");
    check("GET", client.get("{java}s"), "grüße");
    try (var pipeline = client.pipelined()) {
      List<Response<Long>> replies = new ArrayList<>();
      for (int i = 0; i < 50; i++) replies.add(pipeline.incr("{java}n"));
      pipeline.sync();
      check("pipeline", replies.get(49).get(), 50L);
    }
    for (int i = 0; i < 20; i++) client.set("java:" + i, "" + i);
    for (int i = 0; i < 20; i++) check("all slots", client.get("java:" + i), "" + i);
    check("HSET", client.hset("{java}h", Map.of("a", "1", "b", "2")), 2L);
    check("HGETALL", client.hgetAll("{java}h"), Map.of("a", "1", "b", "2"));
    check("SADD", client.sadd("{java}set", "x", "y"), 2L);
    check("SMEMBERS", client.smembers("{java}set"), Set.of("x", "y"));
    try {
      client.hget("{java}s", "f");
      check("WRONGTYPE", "no error", "");
    } catch (JedisDataException error) {
      check("WRONGTYPE", error.getMessage().startsWith("WRONGTYPE"), true);
    }
  }

  static void newerTypes(UnifiedJedis client, Set<String> known) {
    if (known.contains("lpush")) {
      client.rpush("{java}l", "a", "b", "c");
      check("LRANGE", client.lrange("{java}l", 0, -1), List.of("a", "b", "c"));
    }
    if (known.contains("zadd")) {
      client.zadd("{java}z", Map.of("a", 1.0, "b", 2.5));
      check("ZRANGE", client.zrange("{java}z", 0, -1), List.of("a", "b"));
      check("ZSCORE", client.zscore("{java}z", "b"), 2.5);
    }
    if (known.contains("xadd")) {
      client.xadd("{java}x", new StreamEntryID(1, 1), Map.of("f", "v"));
      check("XLEN", client.xlen("{java}x"), 1L);
    }
    if (known.contains("eval")) {
      check("EVAL", client.eval("return redis.call('GET', KEYS[1])", 1, "{java}s"), "grüße");
    }
  }

  /** What JedisCluster does not offer. */
  static void watchAndMessages(UnifiedJedis client, HostAndPort address) throws Exception {
    try (AbstractTransaction multi = client.multi()) {
      multi.set("{java}s", "1");
      Response<Long> sum = multi.incrBy("{java}s", 41);
      check("MULTI", multi.exec().size(), 2);
      check("INCRBY", sum.get(), 42L);
    }
    try (Jedis jedis = new Jedis(address)) {
      jedis.watch("{java}w");
      client.set("{java}w", "other");
      var multi = jedis.multi();
      multi.set("{java}w", "mine");
      check("WATCH", multi.exec() == null, true);
    }
    LinkedBlockingQueue<String> got = new LinkedBlockingQueue<>();
    JedisPubSub listener =
        new JedisPubSub() {
          @Override
          public void onSubscribe(String channel, int count) {
            got.add("subscribed");
          }

          @Override
          public void onMessage(String channel, String message) {
            got.add(message);
            unsubscribe();
          }
        };
    Thread thread =
        new Thread(
            () -> {
              try (Jedis jedis = new Jedis(address)) {
                jedis.subscribe(listener, "java-news");
              }
            });
    thread.start();
    check("subscribed", got.poll(5, TimeUnit.SECONDS), "subscribed");
    client.publish("java-news", "hello");
    check("message", got.poll(5, TimeUnit.SECONDS), "hello");
    thread.join(5000);
  }
}
