/** The peer of an admission: the same framework on the same runtime reads a body and answers a constant. */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.post('/v1/reports', async (c) => {
  await c.req.arrayBuffer();
  return c.json({ report_id: '0', log_index: 0, admitted_at: '2026-11-20T00:00:00.000Z' }, 201);
});
const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, '127.0.0.1', () => {
  console.log(`listens at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit(0));
