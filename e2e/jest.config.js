/**
 * The end-to-end suite: one file per feature, on two real kind clusters (see README.md here).
 * Files run one after another (-i): they share the clusters, and a failover measured beside
 * another feature's load would measure the load.
 */
const swc = {
  jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
  module: { type: 'es6' },
};

export default {
  rootDir: '.',
  testEnvironment: '<rootDir>/environment.ts',
  globalSetup: '<rootDir>/global-setup.ts',
  globalTeardown: '<rootDir>/global-teardown.ts',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  testMatch: ['<rootDir>/*.test.ts'],
  // Every wait inside has a shorter limit of its own that says what was waited for.
  testTimeout: 300_000,
  maxWorkers: 1,
};
