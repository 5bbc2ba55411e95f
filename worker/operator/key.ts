/** `key`: the operator's key, made once. The server obeys decisions of the public keys that it is configured with. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../schema/bytes.ts';
import { type Signer, signerOf } from '../../schema/ed25519.ts';
import { seedIn } from '../log/key-file.ts';
import { type Command, type CommandOption, Obstacle, type OptionValues } from './command.ts';

/** The option that names the file of the key. */
export const keyOption = {
  key: { type: 'string', value: 'FILE', help: "the operator's key (operator.key in the data directory)" },
} as const satisfies Record<string, CommandOption>;

/** The operator's key, made where there is none. Throws an Obstacle where the file cannot be read or holds none. */
export async function operatorKey(
  values: OptionValues,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly path: string; readonly name: string; readonly signer: Signer }> {
  const data = String(values.data ?? env.DUMPSURVEY_DATA ?? 'data');
  const path = typeof values.key === 'string' ? values.key : join(data, 'operator.key');
  if (typeof values.key !== 'string') await mkdir(data, { recursive: true });
  const random = (byteCount: number) => crypto.getRandomValues(new Uint8Array(byteCount));
  const seed = await seedIn(path, random).catch((error: unknown) => {
    throw new Obstacle(error instanceof Error ? error.message : String(error));
  });
  const signer = await signerOf(seed);
  return { path, name: toHex(signer.publicKey), signer };
}

export const key: Command = {
  name: 'key',
  summary: "shows the operator's public key, and makes the key where there is none",
  description:
    'Decisions are signed with this key, and the log shows them for ever. Keep it apart from the server where you can, and keep a copy: whoever has it decides whom the survey trusts.',
  options: keyOption,
  examples: ['npm run operator -- key', 'npm run operator -- key --key /media/stick/operator.key'],
  run: async (values) => {
    const { path, name } = await operatorKey(values, process.env);
    return {
      lines: [
        `Key     ${path}`,
        `Public  ${name}`,
        '',
        'The server obeys it if it is started with (OPERATORS in wrangler.toml):',
        `    DUMPSURVEY_OPERATORS=${name}`,
      ],
      json: { path, operator: name },
    };
  },
};
