// Sums the results of all test runs (vitest's JSON reports) into the one line that CI reads. A run that failed as
// a whole, or left no report, counts as at least one failure.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [status = '1', directory = '.'] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const name of readdirSync(directory).filter((file) => file.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(directory, name), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numTotalTests - report.numPassedTests;
  if (report.success === false && report.numTotalTests === report.numPassedTests) failed++;
}
if ((status !== '0' || passed === 0) && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
