/** What the owner chose for this machine, in `settings.json`. */
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { type MetalPaths, readState } from './state.ts';

/** Where stages of the capture kernel are told to, independent of the dump target. */
export const beaconChannel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  /** Memory that the firmware leaves alone over a reset, read back from /sys/fs/pstore. */
  z.strictObject({ kind: z.literal('ramoops') }),
  /** A raw partition that holds nothing else, as a path below /dev. */
  z.strictObject({ kind: z.literal('disk'), device: z.string().regex(/^\/dev\/[A-Za-z0-9_.:/-]{1,200}$/) }),
]);
export type BeaconChannel = z.infer<typeof beaconChannel>;

export const metalSettings = z.strictObject({
  version: z.literal(1),
  /** The survey's address. */
  survey: z.url(),
  /** Its log's verifier key; null: what it says at first is believed. */
  log_key: z.string().max(400).nullable(),
  /** The disk that dumps go to, as in /sys/block; null: found from the configuration of kdump. */
  dump_disk: z
    .string()
    .regex(/^[A-Za-z0-9_.!-]{1,60}$/)
    .nullable(),
  /** A directory on the dump target's file system for the disk load; null: no scenario with disk load is run. */
  scratch: z.string().startsWith('/').max(1000).nullable(),
  beacon: beaconChannel,
  trials_per_day: z.int().min(1).max(1000),
});
export type MetalSettings = z.infer<typeof metalSettings>;

/** What holds where the owner chose nothing. */
export const defaultSettings: MetalSettings = {
  version: 1,
  survey: 'http://127.0.0.1:8787',
  log_key: null,
  dump_disk: null,
  scratch: null,
  beacon: { kind: 'none' },
  trials_per_day: 4,
};

/** The settings of a machine, or null where it was not set up. Throws Advice where the file is damaged. */
export function readSettings({ settings }: Pick<MetalPaths, 'settings'>): Promise<MetalSettings | null> {
  return readState(settings, metalSettings, [`rm ${settings}`, 'dumpsurvey install --spare-machine']);
}

/** Writes the settings durably. The directory must be there. */
export function writeSettings(
  { settings }: Pick<MetalPaths, 'settings'>,
  chosen: MetalSettings,
): Promise<void> {
  return writeDurably(settings, `${JSON.stringify(metalSettings.parse(chosen), null, 1)}\n`);
}
