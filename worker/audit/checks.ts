/** What is checked, and what it means where a check fails. The table is the report, and docs/verifying.md explains it. */

export const checks = {
  checkpoint: {
    title: "the log's signature on its newest checkpoint",
    means:
      'whoever answers does not have the key of this log, or the checkpoint was changed on its way: nothing that it says binds the survey',
  },
  cosignatures: {
    title: 'witnesses that cosigned it',
    means: 'too few of the witnesses that you trust have seen this tree: it may be shown to you alone',
  },
  consistency: {
    title: 'other checkpoints, of the same history',
    means:
      'the log signed two histories: it was rewritten, restored from an older backup, or shows others another one than you. The two signed checkpoints are the proof',
  },
  entries: {
    title: 'entries under the checkpoint',
    means: 'the survey does not show the entries that its log has signed',
  },
  tiles: {
    title: 'tiles of hashes',
    means: 'whoever relies on the tiles alone sees another tree',
  },
  rows: {
    title: 'public rows',
    means: 'the survey shows another row than the log committed to',
  },
  envelopes: {
    title: 'signed requests behind the entries',
    means: 'the survey shows a request that nobody signed, or another one than the log committed to',
  },
  derivation: {
    title: 'rows that follow from the requests',
    means: 'the survey published something else than what was signed',
  },
  protocol: {
    title: 'entries that obey the rules',
    means: 'the survey admitted what its own rules refuse, or left out what they ask for',
  },
  withdrawals: {
    title: 'withdrawals, and the contents they took away',
    means: 'contents were taken away by somebody who may not, or were not taken away although they should be',
  },
  editions: {
    title: 'editions of the statistics',
    means: 'the survey published statistics that its own log does not give',
  },
  statistics: {
    title: 'cells of the statistics',
    means: 'the survey, or somebody between it and you, shows figures that its own log does not give',
  },
  receipts: {
    title: 'promises to you that were kept',
    means:
      'the survey promised to have your entry in its log and has not. Your receipt and the checkpoint are the proof',
  },
} as const satisfies Record<string, { readonly title: string; readonly means: string }>;
export type Check = keyof typeof checks;

/** What became of each thing that was looked at. */
export const outcomes = {
  ok: 'verified: by a signature, by a hash, or by a rule',
  rebuilt: 'computed anew from what it must follow from, and the same',
  withdrawn: 'its owner withdrew it, or what it would be checked against',
  withheld: 'of a real machine: only named auditors see it, or what it would be checked against (--token)',
  unkept: 'never kept, so that nobody can check it: entries and editions of before the log had a tree',
  superseded: "computed by an older version of the statistics' code, which this program is not",
  mismatch: 'not as it must be',
} as const;
export type Outcome = keyof typeof outcomes;

/** Why a thing could not be looked at: never counted as `ok`. */
export type Absent = 'withdrawn' | 'withheld' | 'unkept';
