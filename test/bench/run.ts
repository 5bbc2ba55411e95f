/**
 * `npm run bench`: how fast the survey is, as ratios against a limit or a peer in the same run. Exits with 1 where
 * a bound is exceeded.
 *
 *   --only NAME   one section: lab-trial, dump-verify, admission, start, agent-start, statistics
 *   --rounds N    how often each measurement is repeated (3)
 *   --json        prints the findings as JSON, and progress to standard error
 *   --write       writes docs/bench.md
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageDir } from '../../agent/paths.ts';
import { runMain } from '../main.ts';
import { stamped } from '../progress.ts';
import { admission } from './admission.ts';
import { agentStart } from './agent-start.ts';
import { dumpVerify } from './dump-verify.ts';
import { describeHost } from './host.ts';
import { labTrial } from './lab-trial.ts';
import { isOver, page, ratioOf, terminalReport } from './report.ts';
import type { Findings, Section } from './section.ts';
import { start } from './start.ts';
import { statistics } from './statistics.ts';

const sections: Readonly<Record<string, Section>> = {
  'lab-trial': labTrial,
  'dump-verify': dumpVerify,
  admission,
  start,
  'agent-start': agentStart,
  statistics,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const names = Object.keys(sections).filter((name) => values.only === undefined || name === values.only);
  const rounds = Number(values.rounds);
  if (names.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
    console.error(`--only takes ${Object.keys(sections).join(', ')}; --rounds takes a number above 0.`);
    return 2;
  }
  const say = stamped(values.json);
  const host = await describeHost();
  const findings: Findings[] = [];
  for (const name of names) {
    const section = sections[name];
    if (section) findings.push(await section({ rounds, say: (line) => say(`${name}: ${line}`) }));
  }
  if (values.write) {
    await mkdir(join(packageDir, 'docs'), { recursive: true });
    await writeFile(join(packageDir, 'docs/bench.md'), page(host, findings));
  }
  const rows = findings.flatMap((f) => f.rows);
  if (values.json) {
    const judged = rows.map((row) => ({ ...row, ratio: ratioOf(row), over: isOver(row) }));
    console.log(JSON.stringify({ host, rows: judged, details: findings.flatMap((f) => f.details ?? []) }));
  } else console.log(`\n${host.join('\n')}\n\n${terminalReport(findings)}`);
  return rows.some(isOver) ? 1 : 0;
}

await runMain(main);
