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
  rootDir: '..',
  testEnvironment: '<rootDir>/e2e/environment.ts',
  globalSetup: '<rootDir>/e2e/global-setup.ts',
  globalTeardown: '<rootDir>/e2e/global-teardown.ts',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  testMatch: ['<rootDir>/e2e/*.test.ts'],
  // Every wait inside has a shorter limit of its own that says what was waited for.
  testTimeout: 300_000,
  maxWorkers: 1,
};
