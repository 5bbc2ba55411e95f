/** The addresses that take signed envelopes: 201 the first time, 200 again. */
import type { Admission } from '../admit/admission.ts';
import { readBody } from '../admit/body.ts';
import type { Counts } from '../metrics/counts.ts';
import { noLimits } from '../rate/limiter.ts';
import { Refusal } from '../refusal.ts';
import type { Client, Services } from '../services.ts';
import { jsonAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { routeOf } from './observe.ts';

/** Does the work and counts what became of it. */
async function counted<T>(
  counts: Counts,
  kind: string,
  work: () => Promise<Admission<T>>,
): Promise<Admission<T>> {
  try {
    const admission = await work();
    counts.admission(kind, admission.fresh ? 'fresh' : 'again');
    return admission;
  } catch (error) {
    counts.admission(kind, error instanceof Refusal ? error.slug : 'internal-error');
    throw error;
  }
}

/** The handler that admits one kind of payload. */
export function admission<T>(
  services: Services,
  admit: (services: Services, bytes: Uint8Array, client: Client) => Promise<Admission<T>>,
): (c: AppContext) => Promise<Response> {
  return async (c) => {
    const kind = routeOf(c).replace(/^\/v1\//, '');
    const client = c.get('client');
    const limiter = client.prefix === null ? noLimits : services.limiter;
    const { fresh, answer } = await counted(services.counts, kind, async () =>
      admit({ ...services, limiter }, await readBody(c.req.raw, services.quotas), client),
    );
    if (fresh) services.admitted();
    return jsonAnswer(answer, fresh ? 201 : 200);
  };
}
