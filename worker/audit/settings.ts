/** What the options of `verify` ask for. Pure: no file is read here. */
import { parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { publicKey } from '../../schema/wire.ts';
import type { Values } from './command.ts';

export interface Settings {
  /** A survey's address, or a directory with a copy. */
  readonly from: { readonly url: string } | { readonly copy: string };
  readonly key: Verifier | null;
  readonly witnesses: readonly { readonly verifier: Verifier; readonly url: string | null }[];
  readonly witnessesNeeded: number;
  readonly operators: ReadonlySet<string>;
  readonly token: string | null;
  readonly receipts: readonly string[];
  readonly state: string | null;
  readonly keep: string | null;
  readonly edition: number | null;
  readonly json: boolean;
}

/** Used wrongly: the message says how. */
export class Usage extends Error {
  override name = 'Usage';
}

/** The environment variables that are read. */
export type Environment = Readonly<Record<string, string | undefined>>;

function textOf(values: Values, name: string): string | null {
  const value = values[name];
  return typeof value === 'string' ? value : null;
}

/** All values of an option that may be given several times, or once with spaces between. */
function listOf(values: Values, name: string): string[] {
  const value = values[name];
  const given = Array.isArray(value) ? value : [value];
  return given.flatMap((one) => (typeof one === 'string' ? one.split(/\s+/).filter(Boolean) : []));
}

function wholeOf(values: Values, name: string, least: number): number | null {
  const text = textOf(values, name);
  if (text === null) return null;
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw new Usage(`--${name} takes a whole number from ${least} on, not ${text}.`);
}

async function keyOf(what: string, text: string, type: 1 | 4): Promise<Verifier> {
  let verifier: Verifier;
  try {
    verifier = await parseVerifierKey(text);
  } catch (error) {
    throw new Usage(`${what}: ${error instanceof Error ? error.message : error}`);
  }
  if (verifier.type === type) return verifier;
  throw new Usage(`${what}: ${verifier.name} has a key of a ${verifier.type === 1 ? 'log' : 'witness'}.`);
}

async function witnessOf(text: string): Promise<Settings['witnesses'][number]> {
  const at = text.search(/=https?:\/\//);
  const verifier = await keyOf('--witness', at < 0 ? text : text.slice(0, at), 4);
  return { verifier, url: at < 0 ? null : text.slice(at + 1) };
}

function addressOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new Usage(`--url takes an address such as https://survey.example, not ${url}.`);
  return url;
}

/** Reads the options. Throws Usage. */
export async function settingsOf(values: Values, environment: Environment): Promise<Settings> {
  const copy = textOf(values, 'copy');
  const url = textOf(values, 'url');
  const keep = textOf(values, 'keep');
  if (copy !== null && (url !== null || keep !== null))
    throw new Usage('--copy audits what is in a directory: neither --url nor --keep goes with it.');
  const logKey = textOf(values, 'log-key');
  const key = logKey === null ? null : await keyOf('--log-key', logKey, 1);
  const witnesses = await Promise.all(listOf(values, 'witness').map(witnessOf));
  const twice = witnesses.find(
    ({ verifier }, i) => witnesses.findIndex((w) => w.verifier.name === verifier.name) !== i,
  );
  if (twice !== undefined) throw new Usage(`--witness: ${twice.verifier.name} is given twice.`);
  const needed = wholeOf(values, 'witnesses-needed', 0) ?? witnesses.length;
  if (needed > witnesses.length)
    throw new Usage(
      `--witnesses-needed is ${needed}, and ${witnesses.length} witnesses are given with --witness.`,
    );
  const operators = listOf(values, 'operator');
  const wrong = operators.find((operator) => !publicKey.safeParse(operator).success);
  if (wrong !== undefined)
    throw new Usage(`--operator takes a public key of 64 hexadecimal digits, not ${wrong}.`);
  return {
    from:
      copy === null
        ? { url: addressOf(url ?? environment.DUMPSURVEY_URL ?? 'http://127.0.0.1:8787') }
        : { copy },
    key,
    witnesses,
    witnessesNeeded: needed,
    operators: new Set(operators),
    token: textOf(values, 'token') ?? environment.DUMPSURVEY_TOKEN ?? null,
    receipts: listOf(values, 'receipt'),
    state: textOf(values, 'state'),
    keep,
    edition: wholeOf(values, 'edition', 1),
    json: values.json === true,
  };
}
