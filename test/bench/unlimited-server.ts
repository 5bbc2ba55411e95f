/** The server with limits that a benchmark does not come to: one key reports more in a second than a machine in a year. */
import { startServer } from '../../worker/node.ts';
import { quotas } from '../../worker/quotas.ts';

const { tickets } = quotas;
const server = await startServer({
  port: 0,
  data: process.env.DUMPSURVEY_DATA ?? 'data',
  controlShare: 0,
  quotas: {
    tickets: { ...tickets, openPerMachine: 1e9, openPerOwner: 1e9, unusedPerMachine: 1e9 },
    admissionsPerKey: { burst: 1e9, perSecond: 1e9 },
  },
});
console.log(`listens at ${server.url}`);
process.once('SIGTERM', () => {
  server.close().then(() => process.exit(0));
});
