/** The campaign of an agent on the same machine, as the file that it writes says. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { nonce } from '../../schema/wire.ts';
import type { Campaign } from '../services.ts';

const campaignFile = z.object({ planned: z.int().min(0), nonces: z.array(nonce).optional() });

/** Reads the agent's campaign; null where there is none, or while it is being written. */
export async function readCampaign(path: string | undefined): Promise<Campaign | null> {
  if (path === undefined) return null;
  try {
    const { planned, nonces } = campaignFile.parse(JSON.parse(await readFile(path, 'utf8')));
    return { planned, nonces: nonces ?? null };
  } catch {
    return null;
  }
}
