/** Editions as they are published. */
import * as z from 'zod';
import { instant, sha256Hex } from '../wire.ts';

/** One edition: up to where the log counts in it, and what its statistics are. It never changes. */
export const manifest = z.strictObject({
  number: z.int().min(1),
  log_size: z.int().min(0).describe('the log entries below this index count'),
  cut_off: instant.describe('deadlines before this time have passed'),
  statistics_sha256: sha256Hex.describe('of the finest table of cells'),
  published_at: instant,
});
export type Manifest = z.infer<typeof manifest>;

/** How many editions one page of the list has. */
export const editionsPerPage = 100;

export const editionsAnswer = z.strictObject({
  editions: z.array(manifest).max(editionsPerPage),
  next: z.string().nullable().describe('the address of the next page, or null on the last one'),
});
export type EditionsAnswer = z.infer<typeof editionsAnswer>;
