/** Who may pull from a member, and what the others are told: code and a sentence with the cure. */

import type { Config } from '../config.ts';
import type { Introduction, Refusal } from '../replication/message.ts';
import type { Placement } from './role.ts';

/** Why this peer is not served, or null. */
export function admission(
  remote: Introduction,
  config: Config,
  placement: Placement,
  paused: ReadonlySet<string>,
): Refusal | null {
  const refuse = (code: string, message: string): Refusal => ({ code, message });
  if (remote.database !== config.database) {
    const mine = `this is database "${config.database}", not "${remote.database}"`;
    return refuse('DATABASE', `${mine}; give all regions the same --database`);
  }
  if (config.managed && placement.role === 'starting') {
    return refuse('STARTING', `this member is not serving yet: ${placement.reason}`);
  }
  if (remote.slots !== placement.slots) {
    return refuse('SLOTS', `this member holds slots ${placement.slots}, not ${remote.slots}`);
  }
  const sameName = remote.region === config.region;
  const sameNumber = remote.regionNumber === config.regionNumber;
  if (remote.purpose === 'member') {
    if (!sameName || !sameNumber) {
      return refuse('REGION', `this is region ${config.region} (${config.regionNumber})`);
    }
    if (remote.member !== config.member) return null;
    return refuse('SELF', `this is member ${config.member} too; names of members are unique`);
  }
  if (sameName) {
    return refuse('REGIONCLASH', `this is region ${config.region} too; names are unique`);
  }
  if (sameNumber) {
    const mine = `region ${config.region} has number ${config.regionNumber} too`;
    return refuse('REGIONCLASH', `${mine}; give each region its own --region-number`);
  }
  const known = placement.regions.find(({ name }) => name === remote.region);
  if (known !== undefined && known.number !== null && known.number !== remote.regionNumber) {
    const mine = `region ${remote.region} has number ${known.number} here`;
    return refuse('REGIONCLASH', `${mine}, not ${remote.regionNumber}`);
  }
  const other = placement.regions.find(({ number }) => number === remote.regionNumber);
  if (other !== undefined && other.name !== remote.region) {
    return refuse('REGIONCLASH', `number ${remote.regionNumber} is region ${other.name} here`);
  }
  if (placement.role !== 'primary') {
    return refuse('NOTPRIMARY', `member ${config.member} is not the primary of its slots`);
  }
  if (!paused.has(remote.region)) return null;
  return refuse('PAUSED', `the exchange with region ${remote.region} is paused here`);
}
