/** Reads the vectors of this folder: facts that others published, each file with its `source`. */
import { readFileSync } from 'node:fs';

/** The contents of a file of vectors. */
export function vectorsIn<T>(name: string): T & { readonly source: string } {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
}
