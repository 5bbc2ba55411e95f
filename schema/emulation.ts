/** Whether a failure in the lab is the driver's fault or the device model's, as far as it is known. */
import type { Population } from './vocabulary.ts';

/** What is known, by driver. */
const known: Readonly<Record<string, string>> = {
  am53c974:
    "esp_scsi dereferences a null pointer when an interrupt arrives before it has reset the chip: a driver that expects this would survive. That the interrupt is still pending is what QEMU's device model does; on hardware it was not measured.",
  sym53c8xx:
    "QEMU's lsi53c895a keeps requests of the crashed kernel running and its interrupt asserted; on hardware neither was measured.",
};

/** What a reader of a failure must know of its emulation; null for a real machine. */
export function emulationNote(population: Population, driver: string): string | null {
  if (population !== 'lab') return null;
  return known[driver] ?? "It is not known whether the driver or QEMU's device model is to blame.";
}
