/** What a kernel's log says where something went wrong that did not end it. Pure. */

const splat =
  /\bBUG\b|WARNING:|Call Trace|cut here|Oops|general protection|\bKASAN\b|\bUBSAN\b|refcount_t|(list_add|list_del) corruption|scheduling while atomic|sleeping function called|\bstall|soft lockup|hard LOCKUP|blocked for more than|nobody cared|unknown reason|Redzone|Padding|\bObject\s+(0x)?[0-9a-f]+:|Poison overwritten|Object already free|lockdep|possible (recursive|circular)|Kernel panic|percpu.*(leak|still)|still has \d+ |tracing_map|ftrace bug|failed to modify/;

/** The lines of a log that should not be in it. */
export function splatsIn(log: readonly string[]): string[] {
  return log.filter((line) => splat.test(line));
}

/**
 * Reasons for which a kernel is tainted, by bit (Documentation/admin-guide/tainted-kernels.rst), that a module built
 * outside of the kernel and not signed gives rise to. Every warning, oops, lockup or bad page is another one.
 */
const expectedTaint = (1 << 12) | (1 << 13);

/** The bits of `/proc/sys/kernel/tainted` that nothing but a splat sets. */
export function unexpectedTaint(tainted: number): number {
  return tainted & ~expectedTaint;
}
