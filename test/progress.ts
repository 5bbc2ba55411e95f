/** Progress of a long proof. */

/** Gives what tells a step with the seconds since now; on standard error where standard output is for JSON. */
export function stamped(json: boolean): (line: string) => void {
  const startedAt = performance.now();
  return (line) => {
    const text = `[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}`;
    if (json) console.error(text);
    else console.log(text);
  };
}
