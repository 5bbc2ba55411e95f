// What `npm start` and `npm test` run first, with the system's own Node (18 or newer) and nothing installed yet:
// installs the locked packages, Node 24 among them, where the lock differs from what is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../../', import.meta.url));
const stampPath = `${top}node_modules/.dumpsurvey-lock`;

/** Whether npm was called for help: then nothing is installed. npm tells its scripts nothing of their arguments. */
function isHelpWanted() {
  try {
    let pid = process.ppid;
    for (let depth = 0; depth < 3 && pid > 1; depth++) {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split(/[\0 ]+/);
      if (words.includes('npm') && words.includes('--help')) return true;
      pid = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ')[1]);
    }
  } catch {
    // Without /proc there is no telling.
  }
  return false;
}

function setUp() {
  if (Number.parseInt(process.versions.node, 10) < 18) {
    console.error(
      `This needs Node 18 or newer to set itself up; this is ${process.version}.\n    apt-get install -y --no-install-recommends nodejs npm`,
    );
    return 3;
  }
  const lock = createHash('sha256')
    .update(readFileSync(`${top}package-lock.json`))
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lock) return 0;
  console.log('Installing the locked packages (npm ci) …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: top,
    stdio: 'inherit',
  });
  if (status !== 0) {
    console.error('npm ci failed: see above. It needs the npm registry.');
    return 1;
  }
  writeFileSync(stampPath, lock);
  return 0;
}

process.exitCode = isHelpWanted() ? 0 : setUp();
