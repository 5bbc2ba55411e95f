/** Times: milliseconds since 1970 UTC inside, RFC 3339 with milliseconds outside. */

/** RFC 3339 in UTC with milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
