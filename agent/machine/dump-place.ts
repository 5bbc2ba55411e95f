/** Where the distribution's kdump tooling is configured to put dumps. Pure: only its configuration files are read. */
import { assignments, type Family } from './distribution.ts';
import type { SystemTree } from './tree.ts';

/** A place for dumps. Hosts and directories stay on this machine. */
export type DumpPlace =
  | {
      readonly kind: 'directory';
      /** Within the running system's tree, or below the top of `device` where that is named. */
      readonly directory: string;
      /** As the configuration names it (`/dev/…`, `UUID=…`, `LABEL=…`); null: whatever is mounted at the directory. */
      readonly device: string | null;
    }
  | { readonly kind: 'raw'; readonly device: string }
  | { readonly kind: 'nfs' | 'ssh'; readonly host: string; readonly directory: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** A place, and the file that names it. */
export interface PlaceFound {
  readonly place: DumpPlace;
  readonly origin: string;
}

const unknown = (why: string): DumpPlace => ({ kind: 'unknown', why });

/** `user@host:path`, `host:path`, `[v6]:path`: the host without the user, and the path or `otherwise`. */
function remote(kind: 'nfs' | 'ssh', text: string, otherwise: string): DumpPlace {
  const match = /^(?:[^@\s]*@)?(\[[0-9A-Fa-f:.%\w]+\]|[^:/@\s]+)(?::(.*))?$/.exec(text.trim());
  if (!match?.[1]) return unknown(`the host in ${JSON.stringify(text)} cannot be told`);
  return { kind, host: match[1].replaceAll(/[[\]]/g, ''), directory: match[2] || otherwise };
}

/** Debian's kdump-tools, kdump-config(8): SSH, NFS and FTP go before the local directory. */
function debianPlace(text: string): DumpPlace {
  const said = assignments(text);
  const directory = said.get('KDUMP_COREDIR') || '/var/crash';
  if (said.get('FTP')) return unknown('FTP is not a target that the agent knows');
  const ssh = said.get('SSH');
  if (ssh) return remote('ssh', ssh, directory);
  const nfs = said.get('NFS');
  if (nfs) return remote('nfs', nfs, '/');
  return { kind: 'directory', directory, device: null };
}

const fedoraFileSystems = /^(ext[234]|xfs|btrfs|minix|virtiofs|f2fs|vfat)$/;

/** Fedora's kdump.conf(5): one directive a line; the target's own one names a device, else `path` is in the running system. */
function fedoraPlace(text: string): DumpPlace {
  const said = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([a-z][a-z0-9_]*)\s+(\S.*?)\s*(?:#.*)?$/.exec(line);
    if (match?.[1] && match[2]) said.set(match[1], match[2]);
  }
  const directory = said.get('path') || '/var/crash';
  const nfs = said.get('nfs') ?? said.get('nfs4');
  if (nfs) return remote('nfs', nfs, directory);
  const ssh = said.get('ssh');
  if (ssh) return remote('ssh', ssh, directory);
  const raw = said.get('raw');
  if (raw) return { kind: 'raw', device: raw };
  const [name, device] = [...said].find(([directive]) => fedoraFileSystems.test(directive)) ?? [];
  if (name === 'virtiofs')
    return unknown('a virtiofs directory of the host is not a target that the agent knows');
  return { kind: 'directory', directory, device: device ?? null };
}

/** SUSE's kdump(5): KDUMP_SAVEDIR is a directory or an address. */
function susePlace(text: string): DumpPlace {
  // Several places may be named; only the first is judged, and the dump counts there.
  const [saved = ''] = (assignments(text).get('KDUMP_SAVEDIR') || '/var/crash').split(/\s+/);
  const match = /^([a-z]+):\/\/(.*)$/i.exec(saved);
  if (match === null) return { kind: 'directory', directory: saved, device: null };
  const scheme = (match[1] ?? '').toLowerCase();
  const rest = match[2] ?? '';
  if (scheme === 'file') return { kind: 'directory', directory: rest || '/', device: null };
  const host = /^(?:[^@/]*@)?(\[[^\]/]+\]|[^:/]+)(?::\d+)?(\/.*)?$/.exec(rest);
  const known = scheme === 'nfs' ? 'nfs' : scheme === 'ssh' || scheme === 'sftp' ? 'ssh' : null;
  if (known === null) return unknown(`${scheme} is not a target that the agent knows`);
  if (!host?.[1]) return unknown(`the host in ${JSON.stringify(saved)} cannot be told`);
  return { kind: known, host: host[1].replaceAll(/[[\]]/g, ''), directory: host[2] ?? '/' };
}

/** The configuration file of each tooling, and what it says where it says nothing. */
export const placeFiles = {
  debian: { file: '/etc/default/kdump-tools', placeOf: debianPlace },
  fedora: { file: '/etc/kdump.conf', placeOf: fedoraPlace },
  suse: { file: '/etc/sysconfig/kdump', placeOf: susePlace },
} as const satisfies Record<Family, { readonly file: string; readonly placeOf: (text: string) => DumpPlace }>;

/** The place that the tooling of this family is configured for. */
export function dumpPlace(tree: SystemTree, family: Family | null): PlaceFound {
  if (family === null)
    return {
      place: unknown('this distribution has no kdump tooling that the agent knows'),
      origin: '/etc/os-release',
    };
  const { file, placeOf } = placeFiles[family];
  const text = tree.read(file);
  return { place: text === null ? unknown(`there is no ${file}`) : placeOf(text), origin: file };
}
