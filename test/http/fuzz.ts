/**
 * `npm run fuzz`: sends requests that the OpenAPI document leads to, valid, nearly valid and hostile, and holds every
 * answer against the document. Exits with 1 where anything differs.
 *
 *   --requests N   how many (20000)
 *   --seed N       the same seed sends the same requests (1)
 */
import { parseArgs } from 'node:util';
import { stamped } from '../progress.ts';
import { reportText, wasAnswered } from './fuzz/report.ts';
import { fuzz } from './fuzz/run.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
const report = await fuzz({
  seed: Number(values.seed),
  requestCount: Number(values.requests),
  told: stamped(false),
});
console.log(reportText(report));
const silent = report.operationIds.filter((id) => !wasAnswered(report, id));
if (silent.length > 0) console.log(`never answered well: ${silent.join(', ')}`);
process.exitCode = report.findings.length > 0 || silent.length > 0 ? 1 : 0;
