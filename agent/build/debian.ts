/** The texts of the Debian package. Pure. */
import { dkmsModule } from '../install/plan.ts';

/** /usr/bin/dumpsurvey: the package's own Node runs the bundle, because the distribution's may be too old. */
export const launcher = `#!/bin/sh
exec /usr/lib/dumpsurvey/node /usr/lib/dumpsurvey/dumpsurvey.cjs "$@"
`;

const maintainer = 'Dump Survey <dumpsurvey@localhost>';

/** DEBIAN/control. */
export function control(version: string, installedKib: number): string {
  return `Package: dumpsurvey
Version: ${version}
Architecture: amd64
Maintainer: ${maintainer}
Installed-Size: ${installedKib}
Depends: dkms, kdump-tools, makedumpfile, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)
Recommends: linux-headers-amd64 | linux-headers-generic
Suggests: fio, stress-ng
Section: kernel
Priority: optional
Description: measures how likely Linux is to capture a kernel crash dump
 An agent for spare machines. Once its owner has said that a machine is
 spare, it crashes the kernel on purpose in a standard set of scenarios,
 finds out after the reboot how far the capture got, looks into the dump,
 and sends a signed report to a public survey.
 .
 Installing this package crashes nothing and enables nothing: see
 dumpsurvey(8). It carries a Node of its own.
`;
}

/** /usr/share/doc/dumpsurvey/changelog.gz, before it is packed. */
export function changelog(version: string, epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `dumpsurvey (${version}) unstable; urgency=medium

  * The agent of this version: see dumpsurvey(8).

 -- ${maintainer}  ${date}
`;
}

const [moduleName, moduleVersion] = dkmsModule.split('/');

/**
 * The maintainer scripts (Debian policy, chapter 6). What \`dumpsurvey install\` did is undone when the package is removed;
 * keys, journal and reports stay until it is purged.
 */
export const maintainerScripts: Readonly<Record<string, string>> = {
  postinst: `#!/bin/sh
set -e
case "$1" in
  configure | abort-upgrade | abort-remove | abort-deconfigure)
    # A kernel without headers leaves no package half installed: dumpsurvey doctor says what is missing.
    if [ -x /usr/lib/dkms/common.postinst ]; then
      /usr/lib/dkms/common.postinst ${moduleName} ${moduleVersion} /usr/share/dumpsurvey "" "$2" || true
    fi
    ;;
esac
if [ -d /run/systemd/system ]; then systemctl --system daemon-reload > /dev/null || true; fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -e /var/lib/dumpsurvey/install.json ]; then
  dumpsurvey uninstall --keep-data || true
fi
case "$1" in
  remove | upgrade | deconfigure)
    dkms remove -m ${moduleName} -v ${moduleVersion} --all > /dev/null 2>&1 || true
    ;;
esac
if [ "$1" = remove ] && [ -d /var/lib/dumpsurvey ]; then
  echo 'Keys and reports stay in /var/lib/dumpsurvey until the package is purged.'
fi
`,
  postrm: `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl --system daemon-reload > /dev/null || true; fi
if [ "$1" = remove ]; then
  # Of a package that was never configured, prerm is not run.
  rm -f /etc/systemd/system/timers.target.wants/dumpsurvey.timer /var/lib/dumpsurvey/metal/consent.json
fi
if [ "$1" = purge ]; then rm -rf /var/lib/dumpsurvey; fi
`,
};

/** /usr/share/doc/dumpsurvey/copyright, in the machine-readable format 1.0. */
export const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: dumpsurvey

Files: *
Copyright: 2026, the Dump Survey developers
License: Apache-2.0

Files: usr/src/crashpoint-1/*
Copyright: 2026, the Dump Survey developers
License: GPL-2.0-only

Files: usr/lib/dumpsurvey/node
Copyright: Node.js contributors, and others
License: node
 See /usr/share/doc/dumpsurvey/LICENSE.node.gz.

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.

License: GPL-2.0-only
 On Debian systems the text is in /usr/share/common-licenses/GPL-2.
`;

/** /usr/share/lintian/overrides/dumpsurvey: what lintian finds, and is so on purpose. */
export const lintianOverrides = `# Node is linked as its makers link it; Debian's own is too old for the agent.
dumpsurvey: embedded-library *node*
dumpsurvey: hardening-no-pie *node*
# Nobody reads mail for it: the project's page has the way to its developers.
dumpsurvey: bogus-mail-host Maintainer *
dumpsurvey: bogus-mail-host-in-debian-changelog *
`;
