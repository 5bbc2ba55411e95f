/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crashes that types.c lists and other files hold. Each calls cp_at_crash()
 * when its condition is set up, and returns only if it was survived.
 */
#ifndef CRASHPOINT_TYPES_H
#define CRASHPOINT_TYPES_H

/* types-hang.c */
void cp_crash_loop(void);
void cp_crash_loop_irqoff(void);
void cp_crash_hung_task(void);

/* types-stack.c */
void cp_crash_stack_overflow(void);
void cp_crash_double_fault(void);
void cp_crash_corrupt_stack(void);
const char *cp_stack_overflow_missing(void);
const char *cp_double_fault_missing(void);
const char *cp_corrupt_stack_missing(void);

/* types-held.c */
void cp_crash_spinlock_held(void);

/* types-oom.c */
void cp_crash_oom(void);

#endif
