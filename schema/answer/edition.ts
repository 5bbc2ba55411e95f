/** Editions as they are published. */
import * as z from 'zod';
import { checkpointNote, instant, sha256Hex } from '../wire.ts';

/** One edition: up to where the log counts in it, and what its statistics are. It never changes. */
export const manifest = z.strictObject({
  number: z.int().min(1),
  log_size: z.int().min(0).describe('the log entries below this index count'),
  cut_off: instant.describe('deadlines before this time have passed'),
  statistics_version: z
    .int()
    .min(1)
    .nullable()
    .describe('which version of the code computed the statistics; null in editions of before it was kept'),
  statistics_sha256: sha256Hex.describe('of the finest table of cells'),
  checkpoint: checkpointNote
    .nullable()
    .describe("the log's signed head at log_size; null in editions of before the log had one"),
  published_at: instant,
});
export type Manifest = z.infer<typeof manifest>;

/** One edition, and how many of its entries were withdrawn since: those it cannot be rebuilt with. */
export const editionAnswer = z.strictObject({ ...manifest.shape, withdrawn: z.int().min(0) });
export type EditionAnswer = z.infer<typeof editionAnswer>;

/** How many editions one page of the list has. */
export const editionsPerPage = 100;

export const editionsAnswer = z.strictObject({
  editions: z.array(manifest).max(editionsPerPage),
  next: z.string().nullable().describe('the address of the next page, or null on the last one'),
});
export type EditionsAnswer = z.infer<typeof editionsAnswer>;
