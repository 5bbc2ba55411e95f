/** What stands in addresses and queries, as text. Handlers check it with these schemas, and the API's description shows them. */
import * as z from 'zod';
import { problems } from './problem.ts';
import { namesOf } from './vocabulary.ts';

/** A whole number, such as an index in the log or the number of an edition. */
export const wholeNumber = z.string().regex(/^\d{1,15}$/, 'it takes a whole number');

export const editionParameters = z.strictObject({ number: wholeNumber.describe('the number of an edition') });

/** A report by its index in the log; `.json` asks for JSON whoever asks. */
export const reportParameters = z.strictObject({
  id: z
    .string()
    .regex(/^\d{1,15}(?:\.json)?$/)
    .describe('the index of a report in the log; with .json it is answered as JSON whoever asks'),
});

export const driverParameters = z.strictObject({
  driver: z.string().min(1).max(80).describe('the name of a kernel driver, percent-encoded as one segment'),
});

export const tileParameters = z.strictObject({
  tile: z
    .string()
    .regex(/^(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?$/)
    .describe('level or `entries`, index and width of a tile, as C2SP tlog-tiles names them: 0/x001/234.p/5'),
});

export const bundleParameters = z.strictObject({
  bundle: wholeNumber.describe('256 entries from 256 times this number on'),
});

export const inclusionQuery = z.strictObject({
  index: wholeNumber.describe('the index of an entry'),
  size: wholeNumber.describe('the size of the tree, at most that of the newest checkpoint'),
});

export const consistencyQuery = z.strictObject({
  from: wholeNumber.describe('the size of the older tree'),
  to: wholeNumber.describe('the size of the newer tree'),
});

export const problemParameters = z.strictObject({
  slug: z.enum(namesOf(problems)).describe('the last part of the type of a problem'),
});

/** Turns the pages of a list that has the newest first. */
export const pageQuery = z.strictObject({
  before: wholeNumber
    .optional()
    .describe('only entries below this number, as `next` of the page before names it'),
});

/** Overrules the Accept header. */
export const formatQuery = z.strictObject({
  format: z.enum(['json']).optional().describe('json: JSON also for a browser'),
});
