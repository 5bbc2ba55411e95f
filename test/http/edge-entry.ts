/** The edge API under workerd as the tests want it: with a clock that can be set and editions that come at once. Never deployed. */
import { createEdge, type EdgeContext, type EdgeEnv, type EdgeHandler } from '../../worker/edge-handler.ts';
import { type Quotas, quotas } from '../../worker/quotas.ts';

interface TestEnv extends EdgeEnv {
  /** JSON of the figures that are others here. */
  readonly TEST_QUOTAS?: string;
}

let offsetMs = 0;
let edge: EdgeHandler | null = null;

function edgeOf({ TEST_QUOTAS }: TestEnv): EdgeHandler {
  edge ??= createEdge(() => Date.now() + offsetMs, 20, {
    ...quotas,
    ...(JSON.parse(TEST_QUOTAS || '{}') as Partial<Quotas>),
  });
  return edge;
}

// biome-ignore lint/style/noDefaultExport: Workers ask for it.
export default {
  async fetch(request: Request, env: TestEnv, context: EdgeContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/test/clock') {
      offsetMs = Number(await request.text());
      return new Response('ok');
    }
    if (pathname === '/test/cron') {
      await edgeOf(env).scheduled(null, env);
      return new Response('ok');
    }
    return edgeOf(env).fetch(request, env, context);
  },
};
