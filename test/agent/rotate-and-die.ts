/**
 * Rotates a key and is killed after a step: node test/agent/rotate-and-die.ts KEY_FILE URL STEP. For the suite that
 * shows that nothing is lost wherever a rotation ends.
 */
import { randomBytes } from 'node:crypto';
import { apiAt } from '../../agent/link/api.ts';
import { rotateKey } from '../../agent/link/rotation.ts';

const [path = '', url = '', step = ''] = process.argv.slice(2);
const api = apiAt(url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
const onStep = (done: string) => {
  if (done === step) process.kill(process.pid, 'SIGKILL');
};
await rotateKey({ path, role: 'machine', url, randomBytes, nowMs: Date.now(), onStep }, async (request) => {
  await api.rotate(request);
});
