/**
 * Shell: runs the controllers. Each is a function that looks at the whole cluster and does what is
 * missing; it runs again when something it watches has changed, once per turn of the event loop
 * however many changes there were. Since a write that changes nothing is no change, they come to
 * rest by themselves. With a few hundred objects looking at everything is cheaper than queues.
 */
import type { Registry } from '../api-server/registry.ts';

export interface Controller {
  readonly name: string;
  /** Storage names whose changes make it run. */
  readonly watches: readonly string[];
  /** Returns after how many ms it wants to look again even if nothing changes, or null. */
  sync(registry: Registry): number | null;
}

const retryAfterErrorMs = 1000;

/** Starts the controllers; returns how to stop them. `report` gets their errors. */
export function runControllers(
  registry: Registry,
  controllers: readonly Controller[],
  report: (controller: string, error: unknown) => void,
): () => void {
  const pending = new Set<Controller>();
  const timers = new Map<Controller, NodeJS.Timeout>();
  let turn: NodeJS.Immediate | null = null;
  let stopped = false;

  const wake = (controller: Controller) => {
    if (stopped) return;
    pending.add(controller);
    turn ??= setImmediate(run);
  };
  const run = () => {
    turn = null;
    const due = [...pending];
    pending.clear();
    for (const controller of due) {
      clearTimeout(timers.get(controller));
      const again = runOnce(controller);
      if (again !== null)
        timers.set(
          controller,
          setTimeout(() => wake(controller), again),
        );
    }
  };
  const runOnce = (controller: Controller): number | null => {
    try {
      return controller.sync(registry);
    } catch (error) {
      report(controller.name, error);
      return retryAfterErrorMs;
    }
  };

  const unsubscribe = registry.store.subscribe(({ storage }) => {
    for (const controller of controllers) {
      if (controller.watches.includes(storage) || controller.watches.includes('*')) {
        wake(controller);
      }
    }
  });
  for (const controller of controllers) wake(controller);
  return () => {
    stopped = true;
    unsubscribe();
    if (turn !== null) clearImmediate(turn);
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
