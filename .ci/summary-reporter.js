/**
 * Jest reporter whose only job is the closing line that CI reads: `N passed, N failed`.
 * A suite that could not even load counts as one failure, so that a syntax error is never "0 failed".
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped}\n`;
    // Jest prints its own summary after the reporters; this line must be the last one.
    process.once('exit', () => process.stdout.write(line));
  }
}
