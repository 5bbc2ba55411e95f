import { describe, expect, it } from 'vitest';
import { surveyNamed } from './survey-api.ts';

const installed = { survey: 'https://installed.example', log_key: 'installed-key' };

describe('the survey is', () => {
  it.each([
    [
      'the option',
      { url: 'https://o.example' },
      { DUMPSURVEY_URL: 'https://e.example' },
      'https://o.example',
    ],
    ['the environment', {}, { DUMPSURVEY_URL: 'https://e.example' }, 'https://e.example'],
    ['that of the installation', {}, { DUMPSURVEY_URL: '' }, 'https://installed.example'],
  ])('%s', (_, values, env, url) => {
    expect(surveyNamed(values, env, installed).url).toBe(url);
  });

  it('this machine, where nothing is said', () => {
    expect(surveyNamed({}, {}, null)).toEqual({ url: 'http://127.0.0.1:8787', logKey: null });
  });
});

describe("its log's key is", () => {
  it.each([
    ['the option', { 'log-key': 'o' }, { DUMPSURVEY_LOG_KEY: 'e' }, 'o'],
    ['the environment', {}, { DUMPSURVEY_LOG_KEY: 'e' }, 'e'],
    ['that of the installation', {}, {}, 'installed-key'],
    ['not that of the installation for another survey', { url: 'https://o.example' }, {}, null],
  ])('%s', (_, values, env, key) => {
    expect(surveyNamed(values, env, installed).logKey).toBe(key);
  });
});
