/** The machine by itself: a script that is suspended between two instructions, and goes on. */
import { Args } from '../resp/args.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { loadLuaModule } from './lua-module.ts';
import { type Call, Machine, type Outcome, type Verdict } from './machine.ts';
import type { ScriptHost } from './redis-api.ts';

const MEMORY_MAX = 64 * 1024 * 1024;

/** A host whose only command answers how often it was called. */
function countingHost(): ScriptHost & { calls: number } {
  const host = {
    calls: 0,
    reply: new ReplyWriter(),
    call(): void {
      host.calls++;
      host.reply.integer(host.calls);
    },
    allows: () => true,
    log(): void {},
    monotonicMs: () => 0,
  };
  return host;
}

function start(source: string, judge: () => Verdict) {
  const machine = new Machine(loadLuaModule(), MEMORY_MAX);
  const handle = machine.compile(source, '@user_script') as number;
  const host = countingHost();
  const output = new ReplyWriter();
  const args = new Args();
  const call: Call = { name: 'sha', handle, args, keysFrom: 0, keysTo: 0, globals: true };
  const run = (): Outcome => machine.run(call, host, output, () => {}, judge);
  const text = (): string => Buffer.from(output.take()).latin1Slice();
  return { machine, host, run, text };
}

test('a script that is suspended goes on where it was', () => {
  const source = 'local n=0 for i=1,1e6 do n=n+i end return {n==500000500000, redis.call("x")}';
  const { machine, host, run, text } = start(source, () => 'suspend');
  let outcome = run();
  let times = 0;
  for (; outcome.kind === 'suspended'; times++) outcome = machine.resume();
  expect(times).toBeGreaterThan(10);
  expect(outcome.kind).toBe('replied');
  expect([host.calls, text()]).toEqual([1, '*2\r\n:1\r\n:1\r\n']);
});

test('within a C function it is not suspended, and goes on after it', () => {
  const source = 'pcall(function() for i=1,1e6 do end end) for i=1,1e6 do end return 7';
  const { machine, run, text } = start(source, () => 'suspend');
  let outcome = run();
  while (outcome.kind === 'suspended') outcome = machine.resume();
  expect(text()).toBe(':7\r\n');
});

test('a suspended script can be ended', () => {
  let verdict: Verdict = 'suspend';
  const { machine, run } = start('while true do end', () => verdict);
  expect(run().kind).toBe('suspended');
  verdict = { error: 'ERR enough' };
  expect(machine.resume()).toEqual({
    kind: 'failed',
    error: 'ERR enough script: sha, on @user_script:1.',
  });
  expect(machine.broken).toBe(false);
});

test('a script that yields by itself is ended, not suspended', () => {
  const { machine, run } = start('coroutine.yield(1) return 1', () => 'on');
  expect(run()).toMatchObject({ kind: 'failed' });
  expect(machine.broken).toBe(false);
});
