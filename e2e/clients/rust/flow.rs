//! redis-rs: what an application does on its first day. Arguments: single|cluster, host, port.
use redis::cluster::ClusterClient;
use redis::{pipe, Client, Commands, Connection, ConnectionLike, RedisResult, TypedCommands};
use std::collections::{HashMap, HashSet};

struct Checks(u32);

impl Checks {
    fn is<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, got: RedisResult<T>, wanted: T) {
        self.0 += 1;
        match got {
            Ok(value) if value == wanted => {}
            other => {
                eprintln!("{name}: got {other:?}, wanted {wanted:?}");
                std::process::exit(1);
            }
        }
    }
}

fn main() -> RedisResult<()> {
    let args: Vec<String> = std::env::args().collect();
    let (mode, host, port) = (&args[1], &args[2], &args[3]);
    let mut checks = Checks(0);
    for protocol in ["resp2", "resp3"] {
        let url = format!("redis://{host}:{port}/?protocol={protocol}");
        let known = commands(&mut Client::open(url.as_str())?.get_connection()?)?;
        if mode == "cluster" {
            let mut client = ClusterClient::new(vec![url])?.get_connection()?;
            first_day(&mut client, &mut checks);
            newer_types(&mut client, &known, &mut checks);
        } else {
            let client = Client::open(url.as_str())?;
            let mut connection = client.get_connection()?;
            first_day(&mut connection, &mut checks);
            newer_types(&mut connection, &known, &mut checks);
            multi_and_messages(&client, &mut connection, &mut checks)?;
        }
    }
    println!("redis-rs: {} checks", checks.0);
    Ok(())
}

fn commands(connection: &mut Connection) -> RedisResult<HashSet<String>> {
    redis::cmd("COMMAND").arg("LIST").query(connection)
}

fn first_day<C: ConnectionLike>(client: &mut C, checks: &mut Checks) {
    for name in ["s", "n", "h", "set", "w", "l", "z", "x"] {
        let _: RedisResult<i64> = Commands::del(client, format!("{{rs}}{name}"));
    }
    checks.is("SET", Commands::set(client, "{rs}s", "grüße"), "OK".to_string());
    checks.is("GET", Commands::get(client, "{rs}s"), "grüße".to_string());
    for i in 0..20 {
        checks.is("all slots", Commands::set(client, format!("rs:{i}"), i), "OK".to_string());
        checks.is("all slots", Commands::get(client, format!("rs:{i}")), i);
    }
    let fields = [("a", "1"), ("b", "2")];
    let _: RedisResult<String> = Commands::hset_multiple(client, "{rs}h", &fields);
    let wanted: HashMap<String, String> =
        fields.iter().map(|(f, v)| (f.to_string(), v.to_string())).collect();
    checks.is("HGETALL", Commands::hgetall(client, "{rs}h"), wanted);
    checks.is("SADD", Commands::sadd(client, "{rs}set", &["x", "y"]), 2);
    let members: HashSet<String> = ["x".to_string(), "y".to_string()].into();
    checks.is("SMEMBERS", Commands::smembers(client, "{rs}set"), members);
    let wrong: RedisResult<String> = Commands::hget(client, "{rs}s", "f");
    let text = wrong.err().map(|error| error.to_string()).unwrap_or_default();
    checks.is("WRONGTYPE", Ok(text.contains("wrong kind of value")), true);
}

fn newer_types<C: ConnectionLike>(client: &mut C, known: &HashSet<String>, checks: &mut Checks) {
    if known.contains("lpush") {
        checks.is("RPUSH", Commands::rpush(client, "{rs}l", &["a", "b"]), 2);
        checks.is("LRANGE", Commands::lrange(client, "{rs}l", 0, -1), vec!["a".to_string(), "b".to_string()]);
    }
    if known.contains("zadd") {
        checks.is("ZADD", Commands::zadd(client, "{rs}z", "a", 2.5), 1);
        checks.is("ZSCORE", Commands::zscore(client, "{rs}z", "a"), 2.5);
    }
    if known.contains("xadd") {
        checks.is("XADD", Commands::xadd(client, "{rs}x", "1-1", &[("f", "v")]), "1-1".to_string());
    }
    if known.contains("eval") {
        let script = redis::Script::new("return redis.call('GET', KEYS[1])");
        checks.is("EVALSHA", script.key("{rs}s").invoke(client), "grüße".to_string());
    }
}

fn multi_and_messages(client: &Client, connection: &mut Connection, checks: &mut Checks) -> RedisResult<()> {
    let replies = pipe().atomic().set("{rs}s", 1).incr("{rs}s", 41).query(connection);
    checks.is("MULTI", replies, ("OK".to_string(), 42));
    let mut other = client.get_connection()?;
    let _: () = redis::cmd("WATCH").arg("{rs}w").query(connection)?;
    TypedCommands::set(&mut other, "{rs}w", "other")?;
    let aborted: Option<(String,)> = pipe().atomic().set("{rs}w", "mine").query(connection)?;
    checks.is("WATCH", Ok(aborted), None);
    let mut listening = client.get_connection()?;
    let mut listener = listening.as_pubsub();
    listener.subscribe("rs-news")?;
    let _: i64 = Commands::publish(&mut other, "rs-news", "hello")?;
    checks.is("message", listener.get_message()?.get_payload(), "hello".to_string());
    Ok(())
}
