/** Versions of the tools that make a dump, as they say them themselves, or as the distribution's package is numbered. */
import type { Programs } from '../metal/programs.ts';
import type { Family } from './distribution.ts';

/** How each tool says its version. */
const askable = {
  kexec: { args: ['--version'], pattern: /kexec(?:-tools)?\s+v?(\d[0-9A-Za-z.+~-]*)/ },
  makedumpfile: { args: ['-v'], pattern: /makedumpfile: version (\d[0-9A-Za-z.+~-]*)/ },
} as const;

/** The packages that hold the kdump tooling, the first that is installed counts. Fedora's lay in kexec-tools before. */
const packagesOf = {
  debian: ['kdump-tools'],
  fedora: ['kdump-utils', 'kexec-tools'],
  suse: ['kdump'],
} as const satisfies Record<Family, readonly string[]>;

async function packageVersion(programs: Programs, family: Family, name: string): Promise<string | null> {
  const { code, stdout } = await (family === 'debian'
    ? programs('dpkg-query', ['-W', '-f', `\${db:Status-Status} \${Version}`, name])
    : programs('rpm', ['-q', '--qf', 'installed %{VERSION}-%{RELEASE}', name]));
  const version = /^installed (\S+)$/.exec(stdout.trim())?.[1];
  return code === 0 && version !== undefined ? version : null;
}

/** The versions by name, without those that cannot be told. */
export async function toolVersions(
  programs: Programs,
  family: Family | null,
): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const [name, { args, pattern }] of Object.entries(askable)) {
    const { stdout, stderr } = await programs(name, args);
    const version = pattern.exec(`${stdout}\n${stderr}`)?.[1];
    if (version !== undefined) found[name] = version;
  }
  if (family === null) return found;
  for (const name of packagesOf[family]) {
    const version = await packageVersion(programs, family, name);
    if (version === null) continue;
    found[name] = version;
    break;
  }
  return found;
}
