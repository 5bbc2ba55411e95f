// `npm start`. The help is printed by any Node, before anything is installed.
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(`Usage: npm start [-- options]

Starts the survey's API and dashboard on http://127.0.0.1:8787, crashes emulated machines with the real agent,
reports to the API, and publishes what comes out. The server stays up until Ctrl-C.

The first start provisions the lab (Debian 12, as root: it installs QEMU and a compiler, and unpacks a
kernel into the data directory). A campaign that was interrupted goes on at the next start; where it is complete,
a start only serves.

Options:
  --no-campaign   only serves
  --trials N      plans a first campaign of only N trials
  --help          shows this, and sets up nothing

Environment:
  PORT             the port (8787)
  HOST             the address to listen on (127.0.0.1: only this machine)
  DUMPSURVEY_DATA  where everything is kept (data, in this directory)`);
} else if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`This needs Node 24, which npm ci installs on x86-64 Linux; this is ${process.version}.`);
  process.exitCode = 3;
} else {
  const { start } = await import('../start.ts');
  await start(process.argv.slice(2));
}
