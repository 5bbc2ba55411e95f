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
  /** How often each operation was answered with each problem. */
  readonly problems: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The problems that each operation can be answered with. */
  readonly named: Readonly<Record<string, readonly string[]>>;
  /** Every operation of the document. */
  readonly operationIds: readonly string[];
}

/** Whether an operation was answered well at least once. */
export function wasAnswered({ tally }: FuzzReport, operationId: string): boolean {
  return Object.entries(tally[operationId] ?? {}).some(
    ([status, count]) => status.startsWith('2') && count > 0,
  );
}

/** How often a problem was answered, by all operations. */
export function problemCount({ problems }: FuzzReport, type: string): number {
  return Object.values(problems).reduce((sum, byType) => sum + (byType[type] ?? 0), 0);
}

/** What the document names and this run did not come to. */
function neverSeen({ named, problems }: FuzzReport): string[] {
  return Object.entries(named).flatMap(([id, types]) => {
    const left = types.filter((type) => !problems[id]?.[type]);
    return left.length === 0 ? [] : [`  ${id.padEnd(20)} ${left.join(' ').replaceAll('/problems/', '')}`];
  });
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
  const all = new Set(Object.values(problems).flatMap((byType) => Object.keys(byType)));
  const types = [...all]
    .map((type) => [type, problemCount(report, type)] as const)
    .toSorted(([, a], [, b]) => b - a)
    .map(([type, count]) => `  ${type.padEnd(36)} ${count}`);
  const found = findings.map((f) => `\nrequest ${f.at}: ${f.fault}\n  ${f.request}\n  answered ${f.answer}`);
  return [
    `${requestCount} requests in ${(durationMs / 1000).toFixed(1)} s (${rate} a second): ${findings.length} findings`,
    ...spread,
    ...types,
    'named, and not come to:',
    ...neverSeen(report),
    ...found,
  ].join('\n');
}
