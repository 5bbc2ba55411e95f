/** What a reader must know of the figures, beside each answer. */
import type { Population } from '../../schema/vocabulary.ts';

export const notes: Readonly<Record<Population, string>> = {
  lab:
    "Emulated machines: each figure is of a driver against QEMU's device model, in the listed configurations only. " +
    'estimate = captured / trials, with an exact (Clopper-Pearson) 95 % interval over timing; no pooling across drivers. ' +
    'trials holds no_reply and leaves out inconclusive; a trial counts once for each distinct value of the groups.',
  metal:
    'No cells are published yet: a cell of real machines needs at least 3 vouched owners, and statistics that allow ' +
    'for trials that depend on each other. Reports are admitted and kept, and will count.',
};
