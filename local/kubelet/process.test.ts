import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../api-server/fixture.ts';
import { ProcessTable } from './process.ts';

const directory = mkdtempSync(join(tmpdir(), 'meridian-process-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has reaped yet is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('processes', () => {
  test('get their environment and nothing else; what they print is in the log', async () => {
    const table = new ProcessTable();
    const logPath = join(directory, 'env.log');
    const command = ['/usr/bin/env'];
    const running = table.start({ command, env: { A: '1' }, cwd: directory, logPath });
    expect(await running.exited).toEqual({ code: 0, signal: null });
    const lines = readFileSync(logPath, 'utf8').trim().split('\n');
    const own = lines.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line));
    expect(own).toEqual(['A=1']);
    await table.close();
  });

  test('close ends what ignores TERM, and what a process has started', async () => {
    const table = new ProcessTable();
    const logPath = join(directory, 'group.log');
    const script = `trap '' TERM; sleep 60 & echo $!; wait; wait`;
    const env = { PATH: process.env.PATH ?? '' };
    const command = ['/bin/sh', '-c', script];
    const running = table.start({ command, env, cwd: directory, logPath });
    const child = await eventually(() => Number(readFileSync(logPath, 'utf8')) || null);
    running.signal('SIGTERM');
    expect([isAlive(running.pid), isAlive(child)]).toEqual([true, true]);
    await table.close();
    expect(isAlive(running.pid)).toBe(false);
    await eventually(() => !isAlive(child));
  });

  test('die with their parent, even when that is killed with SIGKILL', async () => {
    const file = join(import.meta.dirname, 'process.ts');
    const script = `
      const { ProcessTable } = await import(${JSON.stringify(file)});
      const table = new ProcessTable();
      const spec = { command: ['/bin/sleep', '60'], env: {}, cwd: '/' };
      const start = () => table.start({ ...spec, logPath: '/dev/null' }).pid;
      process.stdout.write(start() + ' ' + start() + '\\n');
      setInterval(() => {}, 1000);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script]);
    let printed = '';
    parent.stdout.on('data', (data) => {
      printed += data;
    });
    await eventually(() => printed.includes('\n'), 10_000);
    const pids = printed.trim().split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
  });
});
