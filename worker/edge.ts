/** The entry for Cloudflare Workers, which asks for a default export. Deployed by wrangler.toml. */
import { createEdge } from './edge-handler.ts';

export default createEdge();
