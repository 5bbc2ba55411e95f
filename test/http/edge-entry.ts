/** The edge API under workerd as the tests want it: with a clock that can be set and editions that come at once. Never deployed. */
import { createEdge, type EdgeContext, type EdgeEnv } from '../../worker/edge-handler.ts';

let offsetMs = 0;
const edge = createEdge(() => Date.now() + offsetMs, 20);

// biome-ignore lint/style/noDefaultExport: Workers ask for it.
export default {
  async fetch(request: Request, env: EdgeEnv, context: EdgeContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/test/clock') {
      offsetMs = Number(await request.text());
      return new Response('ok');
    }
    if (pathname === '/test/cron') {
      await edge.scheduled(null, env);
      return new Response('ok');
    }
    return edge.fetch(request, env, context);
  },
};
