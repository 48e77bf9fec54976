/** The live view: a snapshot as lines of text. */
import type {
  FailoverView,
  LinkView,
  PodView,
  RegionView,
  Snapshot,
  ZoneView,
} from './snapshot.ts';

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`;
const dim = (text: string) => `\u001b[2m${text}\u001b[0m`;
const green = (text: string) => `\u001b[32m${text}\u001b[0m`;
const red = (text: string) => `\u001b[31m${text}\u001b[0m`;

/** The whole screen; `selected` is the region that keys act on, `notice` what was done last. */
export function renderView(snapshot: Snapshot, selected: string, notice: string): string[] {
  const { regions, failovers } = snapshot;
  const [first, second, last] = regions.map((one) => one.port);
  return [
    bold('Meridian: one database, three regions, writable in each'),
    '',
    ...regions.flatMap((region) => renderRegion(region, region.name === selected)),
    bold('Last failovers'),
    ...(failovers.length === 0 ? [dim('  none yet')] : failovers.map(renderFailover)),
    '',
    bold('Try'),
    `  redis-cli -p ${first} incr hits    redis-cli -p ${second} incr hits    redis-cli -p ${last} get hits`,
    `  redis-cli -p ${second} sadd cart apple pear    redis-cli -p ${last} smembers cart`,
    '',
    `${bold('Keys')}  1 2 3 choose a region (${selected})   p kill a primary   n its node   z its zone`,
    '      c cut the region off   h heal everything   q end',
    notice === '' ? '' : dim(notice),
  ];
}

/** The lines that fit on a screen: blank ones go first, then those at the bottom. */
export function fitRows(lines: readonly string[], rows: number): string[] {
  if (lines.length <= rows) return [...lines];
  return lines.filter((line) => line !== '').slice(0, rows);
}

function renderRegion(region: RegionView, selected: boolean): string[] {
  const { name, port, missing, cut } = region;
  const state = cut ? red('cut off') : missing === '' ? green('ready') : red(missing);
  const head = `${selected ? '>' : ' '} ${bold(name)}  127.0.0.1:${port}  ${state}`;
  return [head, ...region.zones.map(renderZone), `    links  ${renderLinks(region.links)}`, ''];
}

function renderZone({ zone, nodeUp, pods }: ZoneView): string {
  const list = nodeUp ? pods.map(renderPod).join('  ') : red('node down');
  return `    ${zone.padEnd(6)} ${list}`;
}

function renderPod({ name, role, ready, lagOps }: PodView): string {
  if (role === 'proxy') return ready ? dim('proxy') : red('proxy');
  const lag = lagOps > 0 ? ` -${lagOps}` : '';
  const text = `${name} ${role}${lag}`;
  if (!ready) return red(text);
  return role === 'primary' ? green(text) : text;
}

function renderLinks(links: readonly LinkView[]): string {
  if (links.length === 0) return dim('none yet');
  return links
    .map(({ name, connected, lagMs, pendingOps }) =>
      connected
        ? `${name} lag ${lagMs} ms, ${pendingOps} pending`
        : red(`${name} not connected, ${pendingOps} pending`),
    )
    .join('   ');
}

function renderFailover(one: FailoverView): string {
  const gap = one.gapMs === null ? '' : `, routed after ${one.gapMs} ms`;
  const time = one.decidedAt.slice(11, 19);
  return `  ${time}  ${one.region} shard ${one.shard}: ${one.from} → ${one.to} (${one.reason}${gap})`;
}
