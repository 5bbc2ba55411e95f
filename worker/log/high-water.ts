/**
 * The largest tree that was ever signed, kept apart from the store: a store that was restored from an old backup is
 * found out before it signs a second history. On Node it is a file beside the key. An edge deployment has no place
 * of its own apart from its store; there the witnesses keep it.
 */
import * as z from 'zod';
import { sha256Hex } from '../../schema/wire.ts';

export const mark = z.strictObject({ origin: z.string(), size: z.int().min(0), root: sha256Hex });
export type Mark = z.infer<typeof mark>;

export interface HighWater {
  /** The highest mark, or null where nothing was signed. */
  readonly read: () => Promise<Mark | null>;
  /** Durable when it resolves. Called before a signature is let out. */
  readonly raise: (to: Mark) => Promise<void>;
}

/** For where there is no place apart from the store. */
export const noHighWater: HighWater = { read: async () => null, raise: async () => undefined };
