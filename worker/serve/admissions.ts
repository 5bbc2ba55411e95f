/** The four addresses that take signed envelopes: 201 the first time, 200 again. */
import type { Admission } from '../admit/admission.ts';
import { readBody } from '../admit/body.ts';
import type { Services } from '../services.ts';
import { jsonAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';

/** The handler that admits one kind of payload. */
export function admission<T>(
  services: Services,
  admit: (services: Services, bytes: Uint8Array) => Promise<Admission<T>>,
): (c: AppContext) => Promise<Response> {
  return async (c) => {
    const { fresh, answer } = await admit(services, await readBody(c.req.raw, services.quotas));
    if (fresh) services.admitted();
    return jsonAnswer(answer, fresh ? 201 : 200);
  };
}
