// go-redis: what an application does on its first day. Arguments: single|cluster, host:port.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var checks = 0

func check(name string, got any, wanted any, err error) {
	checks++
	if err != nil {
		fail(fmt.Sprintf("%s: %v", name, err))
	}
	if !reflect.DeepEqual(got, wanted) {
		fail(fmt.Sprintf("%s: got %v, wanted %v", name, got, wanted))
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

func main() {
	mode, address := os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, protocol := range []int{2, 3} {
		var client redis.UniversalClient
		if mode == "cluster" {
			client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{address}, Protocol: protocol})
		} else {
			client = redis.NewClient(&redis.Options{Addr: address, Protocol: protocol})
		}
		firstDay(ctx, client)
		newerTypes(ctx, client)
		watchAndMessages(ctx, client)
		client.Close()
	}
	fmt.Printf("go-redis %s: %d checks\n", redis.Version(), checks)
}

func firstDay(ctx context.Context, client redis.UniversalClient) {
	for _, name := range []string{"s", "n", "h", "set", "w", "l", "z", "x"} {
		client.Del(ctx, "{go}"+name)
	}
	check("SET", client.Set(ctx, "{go}s", "grüße", 100*time.Second).Val(), "OK", nil)
	value, err := client.Get(ctx, "{go}s").Result()
	check("GET", value, "grüße", err)
	pipeline := client.Pipeline()
	last := &redis.IntCmd{}
	for i := 0; i < 50; i++ {
		last = pipeline.Incr(ctx, "{go}n")
	}
	_, err = pipeline.Exec(ctx)
	check("pipeline", last.Val(), int64(50), err)
	for i := 0; i < 20; i++ {
		client.Set(ctx, fmt.Sprintf("go:%d", i), i, 0)
		n, err := client.Get(ctx, fmt.Sprintf("go:%d", i)).Int()
		check("all slots", n, i, err)
	}
	added, err := client.HSet(ctx, "{go}h", "a", "1", "b", "2").Result()
	check("HSET", added, int64(2), err)
	hash, err := client.HGetAll(ctx, "{go}h").Result()
	check("HGETALL", hash, map[string]string{"a": "1", "b": "2"}, err)
	added, err = client.SAdd(ctx, "{go}set", "x", "y").Result()
	check("SADD", added, int64(2), err)
	is, err := client.SMIsMember(ctx, "{go}set", "x", "no").Result()
	check("SMISMEMBER", is, []bool{true, false}, err)
	var sum *redis.IntCmd
	_, err = client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Set(ctx, "{go}s", "1", 0)
		sum = tx.IncrBy(ctx, "{go}s", 41)
		return nil
	})
	check("MULTI", sum.Val(), int64(42), err)
	check("nothing", errors.Is(client.Get(ctx, "{go}nothing").Err(), redis.Nil), true, nil)
	wrong := client.HGet(ctx, "{go}s", "f").Err()
	check("WRONGTYPE", wrong != nil && strings.HasPrefix(wrong.Error(), "WRONGTYPE"), true, nil)
}

func newerTypes(ctx context.Context, client redis.UniversalClient) {
	commands, err := client.Command(ctx).Result()
	check("COMMAND", len(commands) > 100, true, err)
	if commands["lpush"] != nil {
		client.RPush(ctx, "{go}l", "a", "b", "c")
		list, err := client.LRange(ctx, "{go}l", 0, -1).Result()
		check("LRANGE", list, []string{"a", "b", "c"}, err)
	}
	if commands["zadd"] != nil {
		client.ZAdd(ctx, "{go}z", redis.Z{Score: 1, Member: "a"}, redis.Z{Score: 2.5, Member: "b"})
		found, err := client.ZRangeWithScores(ctx, "{go}z", 0, -1).Result()
		check("ZRANGE", found, []redis.Z{{Score: 1, Member: "a"}, {Score: 2.5, Member: "b"}}, err)
	}
	if commands["xadd"] != nil {
		client.XAdd(ctx, &redis.XAddArgs{Stream: "{go}x", ID: "1-1", Values: []string{"f", "v"}})
		length, err := client.XLen(ctx, "{go}x").Result()
		check("XLEN", length, int64(1), err)
	}
	if commands["eval"] != nil {
		script := redis.NewScript("return redis.call('GET', KEYS[1])")
		value, err := script.Run(ctx, client, []string{"{go}s"}).Text()
		check("EVALSHA", value, "42", err)
	}
}

func watchAndMessages(ctx context.Context, client redis.UniversalClient) {
	err := client.Watch(ctx, func(tx *redis.Tx) error {
		client.Set(ctx, "{go}w", "other", 0)
		_, err := tx.TxPipelined(ctx, func(inner redis.Pipeliner) error {
			inner.Set(ctx, "{go}w", "mine", 0)
			return nil
		})
		return err
	}, "{go}w")
	check("WATCH", errors.Is(err, redis.TxFailedErr), true, nil)
	listener := client.Subscribe(ctx, "go-news")
	_, err = listener.Receive(ctx)
	check("subscribed", err, nil, nil)
	client.Publish(ctx, "go-news", "hello")
	message, err := listener.ReceiveMessage(ctx)
	check("a message came", err, nil, nil)
	check("message", message.Payload, "hello", nil)
	listener.Close()
}
