/** `GET /readyz`: whether the server can do its work, as a list of checks. `/healthz` only says that it is alive. */
import { logEntry } from '../../schema/log/entry.ts';
import { limits } from '../../schema/wire.ts';
import { rootOf } from '../root-cause.ts';
import type { Services } from '../services.ts';
import { publishedCheckpoint } from '../store/checkpoints.ts';
import { haltedWhy } from '../store/lease.ts';
import { entryTexts, logSize } from '../store/log.ts';
import { schemaOf } from '../store/schema-version.ts';
import { jsonAnswer } from './answer.ts';

/** What a check has found. `detail` is one sentence for the operator; it is public, so it names nothing inside. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
}

/** One check. What it throws is told to the log, and counts as not ok. */
export interface Check {
  readonly name: string;
  readonly run: (services: Services) => Promise<Finding>;
}

const checkWithinMs = 5000;

/** Every check. All of them must be ok. */
export const checks: readonly Check[] = [
  {
    name: 'serving',
    run: async ({ isDraining }) =>
      isDraining() ? { ok: false, detail: 'draining' } : { ok: true, detail: 'Requests are taken.' },
  },
  {
    name: 'store',
    run: async ({ store }) => ({
      ok: true,
      detail: `The store answers; its log has ${await logSize(store)} entries.`,
    }),
  },
  {
    name: 'log',
    run: async ({ store, now }) => {
      if ((await haltedWhy(store)) !== null)
        return { ok: false, detail: 'The log is halted: the store is not what was signed.' };
      const checkpoint = await publishedCheckpoint(store);
      if (checkpoint === null) return { ok: false, detail: 'The log has no checkpoint yet.' };
      const size = await logSize(store);
      const [oldest] = await entryTexts(store, checkpoint.size, checkpoint.size + 1);
      const sinceMs =
        oldest === undefined ? now() : Date.parse(logEntry.parse(JSON.parse(oldest)).admitted_at);
      if (now() > sinceMs + limits.mergeWithinMs)
        return { ok: false, detail: 'Entries wait longer for a checkpoint than was promised.' };
      return { ok: true, detail: `The newest checkpoint covers ${checkpoint.size} of ${size} entries.` };
    },
  },
  {
    name: 'schema',
    run: async ({ store }) => {
      const schema = await schemaOf(store);
      if (schema.state === 'current')
        return { ok: true, detail: `All ${schema.applied} migrations are applied.` };
      if (schema.state === 'behind') {
        return { ok: false, detail: `${schema.missing} migrations are missing: run worker/migrate.ts.` };
      }
      if (schema.state === 'ahead')
        return { ok: false, detail: 'The store was migrated by newer code: deploy that.' };
      return { ok: false, detail: 'The store has not the schema of this survey: run worker/migrate.ts.' };
    },
  },
];

async function findingOf(check: Check, services: Services): Promise<Finding> {
  const { promise: late, resolve } = Promise.withResolvers<Finding>();
  const timer = setTimeout(() => resolve({ ok: false, detail: 'It did not end in time.' }), checkWithinMs);
  try {
    return await Promise.race([check.run(services), late]);
  } catch (error) {
    services.log({ event: 'check-failed', check: check.name, cause: rootOf(error) });
    return { ok: false, detail: 'It failed; the log says why.' };
  } finally {
    clearTimeout(timer);
  }
}

/** The handler: 200 where every check is ok, 503 otherwise. */
export async function ready(services: Services, list: readonly Check[] = checks): Promise<Response> {
  const findings = await Promise.all(
    list.map(async (check) => ({ name: check.name, ...(await findingOf(check, services)) })),
  );
  const isReady = findings.every(({ ok }) => ok);
  return jsonAnswer({ ready: isReady, checks: findings }, isReady ? 200 : 503, {
    'cache-control': 'no-store',
  });
}
