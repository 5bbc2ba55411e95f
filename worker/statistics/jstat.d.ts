/** The little of jStat that the tests use as an oracle; it ships no types. */
declare module 'jstat' {
  const jstat: {
    beta: { inv: (p: number, a: number, b: number) => number };
    binomial: { pdf: (k: number, n: number, p: number) => number };
  };
  // biome-ignore lint/style/noDefaultExport: this is how jStat exports.
  export default jstat;
}
