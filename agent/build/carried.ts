/** What the bundle has in the place of agent/carried.ts: the same functions over texts that it holds itself. */
import type { Plugin } from 'esbuild';
import { carriedFiles, carriedFolders } from '../carried.ts';

async function moduleText(): Promise<string> {
  const folders = await Promise.all(
    carriedFolders.map(async (folder) => [folder, Object.fromEntries(await carriedFiles(folder))] as const),
  );
  return `
    export const isBundled = true;
    const folders = ${JSON.stringify(Object.fromEntries(folders))};
    export async function carriedFiles(folder) {
      return new Map(Object.entries(folders[folder]));
    }`;
}

/** Puts the files into the bundle. */
export const carried: Plugin = {
  name: 'carried',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/agent\/carried\.ts$/ }, async () => ({ contents: await moduleText(), loader: 'js' }));
  },
};
