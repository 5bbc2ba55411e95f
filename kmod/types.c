// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash types: one function each, and one table. To add a type, add both.
 *
 * Here are the plain ones. The others: types-hang.c a CPU or task that never
 * comes back, types-stack.c the kernel stack, types-held.c a panic with locks
 * held, types-oom.c out of memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/sched.h>

#include "crashpoint.h"
#include "types.h"

#define NMI_SECONDS	30

static void crash_panic(void)
{
	cp_at_crash(false);
	panic("crashpoint");
}

static void crash_bug(void)
{
	cp_at_crash(false);
	BUG();
}

static void crash_exception(void)
{
	int *null = NULL;

	cp_at_crash(false);
	/* A constant null pointer would let the compiler emit a trap instead. */
	OPTIMIZER_HIDE_VAR(null);
	WRITE_ONCE(*null, 0);
}

/* The crash is somebody else's: QEMU's inject-nmi, a BMC, a button. */
static void crash_external_nmi(void)
{
	cp_at_crash(false);
	schedule_timeout_interruptible(NMI_SECONDS * HZ);
}

const struct cp_type cp_types[] = {
	{
		.name = "panic",
		.description = "panic()",
		.crash = crash_panic,
		.expected = "panic() never to return",
	}, {
		.name = "bug",
		.description = "BUG(): an invalid instruction",
		.crash = crash_bug,
		.expected = "an oops; kernel.panic_on_oops=1 would have made it a panic",
	}, {
		.name = "exception",
		.description = "a write through a null pointer",
		.crash = crash_exception,
		.expected = "an oops; kernel.panic_on_oops=1 would have made it a panic",
	}, {
		.name = "loop",
		.description = "an endless loop, preemption off, interrupts on",
		.crash = cp_crash_loop,
		.needs_irqs = true,
		.expected = "a soft lockup; CONFIG_SOFTLOCKUP_DETECTOR and kernel.softlockup_panic=1 would have made it a panic",
		.hangs = true,
	}, {
		.name = "loop-irqoff",
		.description = "an endless loop, interrupts off",
		.crash = cp_crash_loop_irqoff,
		.expected = "a hard lockup, or a stall that another CPU sees; CONFIG_HARDLOCKUP_DETECTOR and kernel.hardlockup_panic=1, or kernel.panic_on_rcu_stall=1, would have made it a panic",
		.hangs = true,
	}, {
		.name = "hung-task",
		.description = "a task that sleeps uninterruptibly for ever",
		.crash = cp_crash_hung_task,
		.expected = "khungtaskd to see it; CONFIG_DETECT_HUNG_TASK and kernel.hung_task_panic=1 would have made it a panic",
		.hangs = true,
		.sleeps = true,
	}, {
		.name = "spinlock-held",
		.description = "panic() with a spinlock and the console lock held, interrupts off",
		.crash = cp_crash_spinlock_held,
		.expected = "panic() never to return",
		.not_in_nmi = true,
	}, {
		.name = "stack-overflow",
		.description = "recursion past the end of the kernel stack",
		.crash = cp_crash_stack_overflow,
		.expected = "the guard page of the stack to be hit, always a panic",
		.missing = cp_stack_overflow_missing,
	}, {
		.name = "double-fault",
		.description = "a push to a stack that is not mapped",
		.crash = cp_crash_double_fault,
		.expected = "a double fault, always a panic",
		.missing = cp_double_fault_missing,
	}, {
		.name = "corrupt-stack",
		.description = "a return over an overwritten stack frame",
		.crash = cp_crash_corrupt_stack,
		.expected = "the stack protector to see it, always a panic",
		.missing = cp_corrupt_stack_missing,
	}, {
		.name = "oom",
		.description = "all memory taken",
		.crash = cp_crash_oom,
		.expected = "the OOM killer; vm.panic_on_oom=1 would have made it a panic",
		.sleeps = true,
	}, {
		.name = "external-nmi",
		.description = "an NMI from outside, for which it waits 30 seconds",
		.crash = crash_external_nmi,
		.expected = "an NMI from outside; kernel.unknown_nmi_panic=1 (x86) would have made it a panic",
		.sleeps = true,
	},
};

const unsigned int cp_type_count = ARRAY_SIZE(cp_types);
