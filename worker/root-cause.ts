/** What the operator's log says of an error that nobody expected. */

/** Where an error began, for the log. What wraps it may quote a statement with its values, and those stay out. */
export function rootOf(error: unknown): string {
  let root = error;
  for (let depth = 0; depth < 8 && root instanceof Error && root.cause instanceof Error; depth++)
    root = root.cause;
  return root instanceof Error ? (root.stack ?? root.message).slice(0, 2000) : String(root).slice(0, 200);
}
