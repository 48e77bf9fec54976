/**
 * Shell: Jest's environment for a feature; saves both clusters' state when a sentence fails,
 * before the feature's clean-up takes it away.
 */
import { basename, join } from 'node:path';
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { saveState } from './artifacts.ts';
import { readWorld, say } from './world.ts';

export default class FeatureEnvironment extends TestEnvironment {
  private readonly feature: string;
  private saved = 0;

  constructor(...args: ConstructorParameters<typeof TestEnvironment>) {
    super(...args);
    this.feature = basename(args[1].testPath, '.test.ts');
  }

  // Jest waits for this promise before it goes on to the next hook or sentence.
  async handleTestEvent(event: Circus.Event): Promise<void> {
    if (event.name !== 'test_fn_failure' && event.name !== 'hook_failure') return;
    this.saved += 1;
    const folder = join(readWorld().artifacts, `${this.feature}-${this.saved}`);
    await saveState(folder);
    say(`state of both clusters saved to ${folder}`);
  }
}
