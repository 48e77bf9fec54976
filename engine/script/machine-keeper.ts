/**
 * The one machine of a process: made when the first script comes, and made anew after one that broke
 * it or that left it with much more memory than its values take. Handles belong to one generation of
 * it; sources outlive them all.
 */
import { limits } from '../limits.ts';
import { loadLuaModule } from './lua-module.ts';
import { Machine, type Outcome } from './machine.ts';

/** Lua's own words. */
export const NOT_ENOUGH_MEMORY = 'not enough memory';

export class MachineKeeper {
  /** Grows with each machine. */
  generation = 0;
  /** Machines that a script has broken. */
  broken = 0;
  private machine: Machine | null = null;

  /** Bytes that the machine has taken from the process; 0: there is none. */
  get bytes(): number {
    return this.machine?.bytes ?? 0;
  }

  /** A machine that can run scripts. */
  ready(): Machine {
    if (this.machine === null) {
      this.machine = new Machine(loadLuaModule(), limits.scriptMemoryMax.value);
      this.generation++;
    }
    return this.machine;
  }

  /** To be called with what came out of each run. */
  ended(outcome: Outcome): Outcome {
    const { machine } = this;
    if (outcome.kind === 'suspended' || machine === null) return outcome;
    this.dropBroken();
    const isFull = outcome.kind === 'failed' && outcome.error.includes(NOT_ENOUGH_MEMORY);
    // Perhaps it is full of compiled scripts: then the next one would fare no better.
    if (isFull) this.machine = null;
    // Memory of WebAssembly never shrinks: a machine that has grown for one script is given back.
    const grown = machine.bytes > limits.scriptMemoryKept.value;
    if (grown && !machine.broken && machine.collect() < machine.bytes / 2) this.machine = null;
    return outcome;
  }

  /** Gives up a machine that is of no use any more. */
  dropBroken(): void {
    if (!this.machine?.broken) return;
    this.broken++;
    this.machine = null;
  }

  /** Forgets the machine, and with it all values of scripts. */
  drop(): void {
    this.machine = null;
  }

  /** Gives the value of a handle back. */
  forget(handle: number, generation: number): void {
    if (generation === this.generation) this.machine?.forget(handle);
  }
}
