/**
 * Jest reporter whose only job is the closing line that CI reads: `N passed, N failed`.
 * A suite that could not even load counts as one failure, so that a syntax error is never "0 failed".
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }
}
