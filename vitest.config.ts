import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const env = {
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_METRICS: 'false',
  // Hundreds of processes are started: types are taken out of each file once for all of them.
  NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node'),
};

export default defineConfig({
  test: {
    // Two guests at a time run as fast as one on two cores; more only wait for each other.
    maxConcurrency: 2,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['{schema,worker,agent,test}/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/end-to-end/**', 'test/metal/sample.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          env,
        },
      },
      {
        // Real crashes: each test runs guests, so files and tests take turns.
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/end-to-end/**/*.test.ts', 'test/metal/sample.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          env,
        },
      },
    ],
  },
});
