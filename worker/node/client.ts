/** Who sends a request, as the connection says it. What a request claims of itself is believed only of a trusted proxy. */
import { getConnInfo } from '@hono/node-server/conninfo';
import { prefixOf } from '../rate/prefix.ts';
import type { AppContext } from '../serve/frame.ts';
import type { Client } from '../services.ts';

const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i;

/** Whether an address is of the machine itself. */
export function isLoopback(address: string): boolean {
  return loopback.test(address);
}

function peerOf(c: AppContext): string | null {
  return getConnInfo(c).remote.address ?? null;
}

/**
 * The address that a request came from; null where the connection has none any more. Behind a proxy it is the last hop
 * that X-Forwarded-For names: that one the proxy itself has added, and those before it anybody can make up.
 */
export function addressOf(c: AppContext, trustProxy: boolean): string | null {
  if (!trustProxy) return peerOf(c);
  const hops = (c.req.header('x-forwarded-for') ?? '').split(',');
  return hops.at(-1)?.trim() || peerOf(c);
}

/** Who sends a request, for limits. */
export function clientOf(c: AppContext, trustProxy: boolean): Client {
  return { prefix: isHere(c) ? null : prefixOf(addressOf(c, trustProxy)) };
}

/**
 * Whether a request was made on the machine itself, and by no page of a browser and through no proxy: its Host is
 * this machine too, and nothing says that it was forwarded.
 */
export function isHere(c: AppContext): boolean {
  const peer = peerOf(c);
  const forwarded = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'].some(
    (name) => c.req.header(name) !== undefined,
  );
  const host = (c.req.header('host') ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return peer !== null && isLoopback(peer) && !forwarded && (host === 'localhost' || isLoopback(host));
}
