/** `CRDT.STATUS JSON` as it comes from an engine: checked, since it comes from another process. */
import { z } from 'zod';
import type { EngineReport } from '../plan/observed.ts';

const count = z.number().finite().catch(0);

const schema = z.object({
  role: z.enum(['primary', 'replica', 'starting', 'proxy']),
  mapVersion: count,
  epoch: count,
  appliedOps: count,
  memoryBytes: count,
  startedEmpty: z.boolean().catch(false),
  uptimeMs: count,
  firstWriteAtMs: z.number().nullable().catch(null),
  upstream: z
    .object({
      name: z.string().catch(''),
      connected: z.boolean(),
      answering: z.boolean(),
      lagOps: count,
    })
    .nullable()
    .catch(null),
  peers: z
    .array(
      z.object({
        region: z.string(),
        connected: z.boolean(),
        paused: z.boolean().catch(false),
        lagOps: count,
        lagMs: count,
        pendingOps: count,
      }),
    )
    .catch([]),
  members: z.array(z.object({ name: z.string(), up: z.boolean() })).catch([]),
});

export type Parsed = {
  readonly report: EngineReport;
  /** What it sees of others: member name → up. */
  readonly sees: ReadonlyMap<string, boolean>;
};

/** The report in a reply (latin1, one character per byte), or null when it makes no sense. */
export function parseReport(text: string): Parsed | null {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'latin1').toString('utf8'));
  } catch {
    return null;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return null;
  const { members, ...report } = parsed.data;
  const sees = new Map(members.map(({ name, up }) => [name, up]));
  if (report.upstream && report.upstream.name !== '') {
    sees.set(report.upstream.name, report.upstream.answering);
  }
  return { report, sees };
}
