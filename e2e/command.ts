/**
 * Shell: runs the tools that the suite drives (kind, kubectl, helm, docker or podman).
 */
import { execFile } from 'node:child_process';

export type CommandOptions = {
  /** Text for the command's standard input. */
  readonly input?: string;
  /** After this time the command is killed and the call fails; 60 s when absent. */
  readonly limitMs?: number;
  /** Variables added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
};

const LIMIT_MS = 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to its standard output
 * @throws Error with the command line and both outputs when it fails or exceeds its limit
 */
export function run(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const limitMs = options.limitMs ?? LIMIT_MS;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      {
        encoding: 'utf8',
        timeout: limitMs,
        killSignal: 'SIGKILL',
        maxBuffer: OUTPUT_BYTES_MAX,
        env: { ...process.env, ...options.env },
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const how = error.killed ? `took longer than ${limitMs} ms` : `failed (${error.code})`;
        reject(new Error(`${file} ${args.join(' ')}: ${how}\n${stderr}${stdout}`));
      },
    );
    child.stdin?.on('error', () => {}); // A command that ends without reading its input is fine.
    child.stdin?.end(options.input ?? '');
  });
}
