// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash types: one function each, and one table. To add a type, add both.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/string.h>
#include <linux/thread_info.h>

#include "crashpoint.h"

#define FRAME_BYTES	512
/* The process stack and a CPU's interrupt stacks are THREAD_SIZE or less. */
#define FRAMES		(4 * THREAD_SIZE / FRAME_BYTES)

static void crash_panic(void)
{
	panic("crashpoint");
}

static void crash_bug(void)
{
	BUG();
}

static void crash_exception(void)
{
	int *null = NULL;

	/* A constant null pointer would let the compiler emit a trap instead. */
	OPTIMIZER_HIDE_VAR(null);
	WRITE_ONCE(*null, 0);
}

static void crash_loop(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void crash_loop_irqoff(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

/*
 * noinline, and a buffer that the compiler must believe is used after the call:
 * otherwise the recursion becomes a loop and the stack never grows.
 */
static noinline int recurse(int frames)
{
	volatile char frame[FRAME_BYTES];
	int below = 0;

	memset((void *)frame, frames & 0xff, sizeof(frame));
	if (frames)
		below = recurse(frames - 1);
	return below + frame[frames & (FRAME_BYTES - 1)];
}

static void crash_stack_overflow(void)
{
	int sum = recurse(FRAMES);

	OPTIMIZER_HIDE_VAR(sum);
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
		.expected = "an oops; panic_on_oops=1 would have made it a panic",
	}, {
		.name = "exception",
		.description = "a write through a null pointer",
		.crash = crash_exception,
		.expected = "an oops; panic_on_oops=1 would have made it a panic",
	}, {
		.name = "loop",
		.description = "an endless loop, preemption off, interrupts on",
		.crash = crash_loop,
		.expected = "a CPU that never comes back",
		.hangs = true,
	}, {
		.name = "loop-irqoff",
		.description = "an endless loop, interrupts off",
		.crash = crash_loop_irqoff,
		.expected = "a CPU that never comes back",
		.hangs = true,
	}, {
		.name = "stack-overflow",
		.description = "recursion past the end of the kernel stack",
		.crash = crash_stack_overflow,
		.expected = "the guard page of the stack to be hit; without CONFIG_VMAP_STACK memory below the stack was overwritten",
	},
};

const unsigned int cp_type_count = ARRAY_SIZE(cp_types);
