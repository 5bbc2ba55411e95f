/** The toolings by distribution. What else differs between distributions is added here, never asked for elsewhere. */
import type { Family } from '../../machine/distribution.ts';
import { debian } from './debian.ts';
import { fedora } from './fedora.ts';
import type { Layout } from './layout.ts';
import { suse } from './suse.ts';

export const layouts: Readonly<Record<Family, Layout>> = { debian, fedora, suse };
