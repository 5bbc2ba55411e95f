/** The texts of the Debian package. Pure. */

/** /usr/bin/dumpsurvey: the package's own Node runs the bundle, because the distribution's may be too old. */
export const launcher = `#!/bin/sh
exec /usr/lib/dumpsurvey/node /usr/lib/dumpsurvey/dumpsurvey.cjs "$@"
`;

/** DEBIAN/control. */
export function control(version: string, installedKib: number): string {
  return `Package: dumpsurvey
Version: ${version}
Architecture: amd64
Maintainer: Dump Survey <dumpsurvey@localhost>
Installed-Size: ${installedKib}
Depends: dkms, kdump-tools, libc6 (>= 2.28), libstdc++6 (>= 9), libgcc-s1
Recommends: linux-headers-amd64
Suggests: fio, stress-ng
Section: kernel
Priority: optional
Description: measures how likely Linux is to capture a kernel crash dump
 An agent for spare machines. Once its owner has said that a machine is spare, it
 crashes the kernel on purpose in a standard set of scenarios, finds out after the
 reboot how far the capture got, looks into the dump, and sends a signed report to
 a public survey.
 .
 Installing this package crashes nothing and enables nothing: see dumpsurvey(8).
 It carries a Node of its own.
`;
}

/** The module's sources are registered with DKMS as its name and version, as in kmod/dkms.conf. */
const dkms = { name: 'crashpoint', version: '1' } as const;

/** The maintainer scripts (Debian policy, chapter 6). */
export const maintainerScripts: Readonly<Record<string, string>> = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if [ -x /usr/lib/dkms/common.postinst ]; then
    # A kernel without headers is no reason to leave the package half installed: doctor says what is missing.
    /usr/lib/dkms/common.postinst ${dkms.name} ${dkms.version} /usr/share/dumpsurvey "" "$2" || true
  fi
  if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = upgrade ] || [ "$1" = deconfigure ]; then
  dkms remove -m ${dkms.name} -v ${dkms.version} --all > /dev/null 2>&1 || true
fi
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now dumpsurvey.timer > /dev/null 2>&1 || true
  systemctl stop dumpsurvey.service > /dev/null 2>&1 || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/dumpsurvey
fi
`,
};

/** /usr/share/doc/dumpsurvey/copyright, in the machine-readable format 1.0. */
export const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: dumpsurvey

Files: *
Copyright: The Dump Survey developers
License: Apache-2.0

Files: usr/src/crashpoint-1/*
Copyright: The Dump Survey developers
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
