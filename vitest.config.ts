import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schema,worker,agent,test}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    env: { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' },
  },
});
