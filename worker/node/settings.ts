/** What the environment of the Node server sets. Pure: a wrong setting is an Error that names it and what it takes. */
import { publicKey } from '../../schema/wire.ts';
import type { ServerOptions } from '../node.ts';

export const logModes = ['text', 'json', 'off'] as const;
export type LogMode = (typeof logModes)[number];

export interface Settings {
  readonly server: ServerOptions;
  readonly log: LogMode;
}

function portOf(text: string | undefined): number {
  const port = Number(text || 8787);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT is ${text}; it takes a port number.`);
}

function listOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Public keys, or hashes of tokens, which look alike. */
function hexOf(name: string, list: string | undefined): string[] {
  const given = listOf(list);
  const wrong = given.find((key) => !publicKey.safeParse(key).success);
  if (wrong === undefined) return given;
  throw new Error(`${name} has ${wrong}, which is not 64 hexadecimal digits.`);
}

function logModeOf(text: string | undefined): LogMode {
  const mode = logModes.find((name) => name === (text || 'text'));
  if (mode !== undefined) return mode;
  throw new Error(`LOG is ${text}; it takes ${logModes.join(', ')}.`);
}

function flagOf(name: string, text: string | undefined): boolean {
  if (text === '1' || text === '0' || !text) return text === '1';
  throw new Error(`${name} is ${text}; it takes 1 or 0.`);
}

function shareOf(name: string, text: string): number {
  const share = Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new Error(`${name} is ${text}; it takes a number from 0 to 1.`);
}

/** A token that can be guessed is none. */
const tokenMinChars = 16;

function tokenOf(text: string): string {
  if (/^\S+$/.test(text) && text.length >= tokenMinChars) return text;
  throw new Error(
    `METRICS_TOKEN takes at least ${tokenMinChars} characters without spaces: openssl rand -hex 32`,
  );
}

/** The settings in an environment; an empty value is one that is not set. Throws an Error that says what to do. */
export function settingsOf(env: Readonly<Record<string, string | undefined>>): Settings {
  return {
    server: {
      port: portOf(env.PORT),
      ...(env.HOST ? { host: env.HOST } : {}),
      data: env.DUMPSURVEY_DATA || 'data',
      ...(env.DUMPSURVEY_PUBLIC_URL ? { publicUrl: env.DUMPSURVEY_PUBLIC_URL } : {}),
      referenceOwners: hexOf('DUMPSURVEY_REFERENCE_OWNERS', env.DUMPSURVEY_REFERENCE_OWNERS),
      operators: hexOf('DUMPSURVEY_OPERATORS', env.DUMPSURVEY_OPERATORS),
      auditors: hexOf('DUMPSURVEY_AUDITORS', env.DUMPSURVEY_AUDITORS),
      witnesses: listOf(env.DUMPSURVEY_WITNESSES),
      ...(env.DUMPSURVEY_LOG_ORIGIN ? { origin: env.DUMPSURVEY_LOG_ORIGIN } : {}),
      ...(env.DUMPSURVEY_CONTROL_SHARE
        ? { controlShare: shareOf('DUMPSURVEY_CONTROL_SHARE', env.DUMPSURVEY_CONTROL_SHARE) }
        : {}),
      trustProxy: flagOf('TRUST_PROXY', env.TRUST_PROXY),
      ...(env.METRICS_TOKEN ? { metricsToken: tokenOf(env.METRICS_TOKEN) } : {}),
      ...(env.DUMPSURVEY_CAMPAIGN ? { campaignPath: env.DUMPSURVEY_CAMPAIGN } : {}),
    },
    log: logModeOf(env.LOG),
  };
}
