/**
 * Which regions reach each other. A connection belongs to the region whose range its source address
 * is in (127.<16+n>.*.*); one from anywhere else, such as a client on 127.0.0.1, is local to every
 * region and is never cut.
 */
import type { Forwarder, LinkState } from './forwarder.ts';

export class RegionLinks {
  private readonly regionByOctet = new Map<number, string>();
  private readonly cuts = new Map<string, LinkState>();
  private readonly forwarders = new Set<Forwarder>();

  /** Says whose addresses begin with 127.<octet>. */
  register(region: string, octet: number): void {
    this.regionByOctet.set(octet, region);
  }

  add(forwarder: Forwarder): void {
    this.forwarders.add(forwarder);
  }

  remove(forwarder: Forwarder): void {
    this.forwarders.delete(forwarder);
  }

  /** The link from an address to a region. */
  state(sourceAddress: string, region: string): LinkState {
    const source = this.regionByOctet.get(Number(sourceAddress.split('.')[1]));
    if (source === undefined || source === region) return 'open';
    return this.cuts.get(source) ?? this.cuts.get(region) ?? 'open';
  }

  isCut(region: string): boolean {
    return this.cuts.has(region);
  }

  /** Cuts a region off from all others, both ways; connections that exist are hit too. */
  cut(region: string, how: Exclude<LinkState, 'open'>): void {
    this.cuts.set(region, how);
    for (const forwarder of this.forwarders) forwarder.applyLinks();
  }

  heal(region: string): void {
    this.cuts.delete(region);
    for (const forwarder of this.forwarders) forwarder.applyLinks();
  }
}
