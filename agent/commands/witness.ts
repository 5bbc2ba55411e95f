import { join } from 'node:path';
import { parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { type Command, jsonOption, text } from '../command.ts';
import { dataDir } from '../paths.ts';
import { startWitness } from '../witness/server.ts';

/** The keys of a list, each of a log. Throws an Error that says which is none. */
async function logKeys(list: string): Promise<Verifier[]> {
  const keys = await Promise.all(list.split(/\s+/).filter(Boolean).map(parseVerifierKey));
  for (const [i, { name, type, keyId }] of keys.entries()) {
    if (type !== 1) throw new Error(`The key of ${name} is a witness' key, not a log's.`);
    const twin = keys.findIndex((key) => key.name === name && String(key.keyId) === String(keyId));
    if (twin !== i) throw new Error(`The key of ${name} is there twice.`);
  }
  return keys;
}

export const witness: Command = {
  description:
    "Serves the witness protocol (C2SP tlog-witness): a log sends each checkpoint with a proof that it continues the\nlast one, and gets a cosignature with a time. The first checkpoint of a log is taken as it is. The state directory\nis what the witness must not forget: never restore an older copy of it, start another witness instead. Two parties\ncan run one each; an auditor compares what both serve at /checkpoint/<SHA-256 of the log's origin>.",
  options: {
    log: { type: 'string', value: 'VKEY', help: "the log's verifier key; several with spaces between" },
    port: { type: 'string', value: 'PORT', help: 'the port to listen at; 0 takes a free one (0)' },
    host: { type: 'string', value: 'HOST', help: 'the address to listen at (127.0.0.1: this machine only)' },
    name: { type: 'string', value: 'NAME', help: 'the name to cosign under, kept at the first start' },
    state: { type: 'string', value: 'DIR', help: 'where key and state are (witness in the data directory)' },
    'dry-run': {
      type: 'boolean',
      help: 'looks at the options, says what would be served, and makes nothing',
    },
    json: { ...jsonOption.json, help: 'prints the address and the keys as JSON' },
  },
  examples: [
    "dumpsurvey witness --log 'dumps.example/log+99de6520+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'",
    'dumpsurvey witness --log "$LOG_KEY" --name witness.example/w1 --host 0.0.0.0 --port 8790',
  ],
  run: async (values) => {
    const port = Number(text(values, 'port') ?? 0);
    const list = text(values, 'log');
    if (list === null || !Number.isInteger(port) || port < 0 || port > 65_535) {
      console.error(
        `${list === null ? '--log takes the verifier key of the log to watch' : '--port takes a port number'}. See dumpsurvey witness --help.`,
      );
      return 2;
    }
    let logs: Verifier[];
    try {
      logs = await logKeys(list);
    } catch (error) {
      console.error(`--log: ${error instanceof Error ? error.message : error}`);
      return 2;
    }
    if (logs.length === 0) {
      console.error('--log is empty; it takes the verifier key of the log to watch.');
      return 2;
    }
    const state = text(values, 'state') ?? join(dataDir(), 'witness');
    const host = text(values, 'host') ?? '127.0.0.1';
    const names = logs.map(({ name }) => name);
    if (values['dry-run']) {
      console.log(
        values.json
          ? JSON.stringify({ host, port, state, logs: names })
          : `Would listen at ${host}, port ${port === 0 ? '(a free one)' : port}, with its key and state in ${state}\n${names.map((name) => `  log  ${name}`).join('\n')}`,
      );
      return 0;
    }
    const running = await startWitness({
      logs,
      state,
      name: text(values, 'name'),
      port,
      host,
      nowSeconds: () => Math.floor(Date.now() / 1000),
      onError: (error) => console.error(error),
    });
    if (values.json) console.log(JSON.stringify({ url: running.url, vkey: running.vkey, logs: names }));
    else {
      console.log(`Witness listens at ${running.url}\n  key  ${running.vkey}`);
      for (const name of names) console.log(`  log  ${name}`);
    }
    await new Promise<void>((done) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => done());
    });
    await running.close();
    return 0;
  },
};
