/** What a run of the fuzzer found, in values and in words. */

export interface FuzzFinding {
  /** Which request it was, from 0: the same seed leads to it again. */
  readonly at: number;
  readonly fault: string;
  readonly request: string;
  readonly answer: string;
}

export interface FuzzReport {
  readonly requestCount: number;
  readonly durationMs: number;
  readonly findings: readonly FuzzFinding[];
  /** Answers by operation and status. */
  readonly tally: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** How often each problem was answered. */
  readonly problems: Readonly<Record<string, number>>;
  /** Every operation of the document. */
  readonly operationIds: readonly string[];
}

/** Whether an operation was answered well at least once. */
export function wasAnswered({ tally }: FuzzReport, operationId: string): boolean {
  return Object.entries(tally[operationId] ?? {}).some(
    ([status, count]) => status.startsWith('2') && count > 0,
  );
}

/** The report in words: what was found, how fast, and how the answers spread. */
export function reportText(report: FuzzReport): string {
  const { requestCount, durationMs, findings, tally, problems } = report;
  const rate = Math.round(requestCount / (durationMs / 1000));
  const spread = Object.entries(tally)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([id, byStatus]) =>
        `  ${id.padEnd(20)} ${Object.entries(byStatus)
          .map(([s, n]) => `${s}: ${n}`)
          .join('  ')}`,
    );
  const types = Object.entries(problems)
    .toSorted(([, a], [, b]) => b - a)
    .map(([type, count]) => `  ${type.padEnd(36)} ${count}`);
  const found = findings.map((f) => `\nrequest ${f.at}: ${f.fault}\n  ${f.request}\n  answered ${f.answer}`);
  return [
    `${requestCount} requests in ${(durationMs / 1000).toFixed(1)} s (${rate} a second): ${findings.length} findings`,
    ...spread,
    ...types,
    ...found,
  ].join('\n');
}
