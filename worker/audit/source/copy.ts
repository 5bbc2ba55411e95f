/**
 * Copies of a survey: every answer that an audit read, as a file under the address that it had. A copy can be audited
 * again without the survey, given to others, and kept as evidence: what a log has signed is in it.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { Incomplete, type Source } from './source.ts';

/** The file of an address, below the directory of the copy: a query is one more step of the path. */
export function fileOf(address: string): string {
  return address.slice(1).replace('?', '/');
}

/** The copy in a directory. */
export function copyIn(directory: string): Source {
  return {
    name: directory,
    isLive: false,
    again: async () => false,
    open: async (address) => {
      const path = join(directory, fileOf(address));
      const stream = createReadStream(path);
      await new Promise<void>((done, fail) => {
        stream.once('open', () => done());
        stream.once('error', (error: NodeJS.ErrnoException) => fail(missing(path, error)));
      });
      return piecesOf(stream, path);
    },
  };
}

async function* piecesOf(stream: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw missing(path, error as NodeJS.ErrnoException);
  }
}

function missing(path: string, error: NodeJS.ErrnoException): Incomplete {
  const why =
    error.code === 'ENOENT' ? 'is not in this copy' : `cannot be read (${error.code ?? error.message})`;
  return new Incomplete(`${path} ${why}. Make the copy anew with --keep.`, { cause: error });
}

/** A source of which everything that is read to its end is kept in a directory. */
export function keeping(source: Source, directory: string): Source {
  return {
    ...source,
    open: async (address) => {
      const path = join(directory, fileOf(address));
      const pieces = await source.open(address);
      await mkdir(dirname(path), { recursive: true });
      return keepingPieces(pieces, path);
    },
  };
}

async function* keepingPieces(pieces: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  const part = `${path}.part`;
  const file = createWriteStream(part);
  let isWhole = false;
  try {
    for await (const piece of pieces) {
      if (!file.write(piece))
        await new Promise<void>((done, fail) => file.once('drain', done).once('error', fail));
      yield piece;
    }
    isWhole = true;
  } finally {
    file.end();
    await finished(file);
    await (isWhole ? rename(part, path) : rm(part, { force: true }));
  }
}

/** Moves every file of a directory to the same place in another one, over what is there. */
export async function moveInto(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, path));
    await mkdir(dirname(target), { recursive: true });
    await rename(path, target);
  }
  await rm(from, { recursive: true, force: true });
}
