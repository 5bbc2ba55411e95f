/** `GET /readyz`: whether the server can do its work. */
import * as z from 'zod';

export const readinessAnswer = z.strictObject({
  ready: z.boolean(),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type ReadinessAnswer = z.infer<typeof readinessAnswer>;
