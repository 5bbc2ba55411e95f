import { expect, it } from 'vitest';
import { settingsOf } from './settings.ts';

const key = 'ab'.repeat(32);

it.each<[string, Record<string, string>, object]>([
  ['nothing', {}, { server: { port: 8787, data: 'data', referenceOwners: [] }, log: 'text' }],
  [
    'empty values',
    { PORT: '', HOST: '', LOG: '', DUMPSURVEY_DATA: '' },
    { server: { port: 8787 }, log: 'text' },
  ],
  ['a port', { PORT: '0' }, { server: { port: 0 } }],
  ['a host', { HOST: '::' }, { server: { host: '::' } }],
  ['a token', { METRICS_TOKEN: 'x'.repeat(16) }, { server: { metricsToken: 'x'.repeat(16) } }],
  ['a proxy', { TRUST_PROXY: '1' }, { server: { trustProxy: true } }],
  ['no proxy', { TRUST_PROXY: '0' }, { server: { trustProxy: false } }],
  ['a share of controls', { DUMPSURVEY_CONTROL_SHARE: '0.5' }, { server: { controlShare: 0.5 } }],
  ['no controls', { DUMPSURVEY_CONTROL_SHARE: '0' }, { server: { controlShare: 0 } }],
  ['JSON lines', { LOG: 'json' }, { log: 'json' }],
  [
    'two owners',
    { DUMPSURVEY_REFERENCE_OWNERS: ` ${key},,${key}` },
    { server: { referenceOwners: [key, key] } },
  ],
])('%s', (_, env, settings) => {
  expect(settingsOf(env)).toMatchObject(settings);
});

it.each([
  [{ PORT: 'http' }, 'PORT is http; it takes a port number.'],
  [{ PORT: '65536' }, 'PORT is 65536; it takes a port number.'],
  [{ TRUST_PROXY: 'yes' }, 'TRUST_PROXY is yes; it takes 1 or 0.'],
  [{ METRICS_TOKEN: 'short' }, 'METRICS_TOKEN takes at least 16 characters'],
  [{ METRICS_TOKEN: 'with a space in it' }, 'METRICS_TOKEN takes at least 16 characters'],
  [{ DUMPSURVEY_CONTROL_SHARE: '2' }, 'DUMPSURVEY_CONTROL_SHARE is 2; it takes a number from 0 to 1.'],
  [{ DUMPSURVEY_CONTROL_SHARE: 'few' }, 'DUMPSURVEY_CONTROL_SHARE is few; it takes a number from 0 to 1.'],
  [{ LOG: 'loud' }, 'LOG is loud; it takes text, json, off.'],
  [
    { DUMPSURVEY_REFERENCE_OWNERS: 'AB' },
    'DUMPSURVEY_REFERENCE_OWNERS has AB, which is not 64 hexadecimal digits',
  ],
])('%j is refused in words', (env, words) => {
  expect(() => settingsOf(env)).toThrow(words);
});
