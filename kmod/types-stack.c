// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crashes of the kernel stack: too deep, lost, overwritten.
 */
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/objtool.h>
#include <linux/string.h>
#include <linux/thread_info.h>

#include "crashpoint.h"
#include "types.h"

#define FRAME_BYTES	512
/* The process stack and a CPU's interrupt stacks are THREAD_SIZE or less. */
#define FRAMES		(4 * THREAD_SIZE / FRAME_BYTES)

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

void cp_crash_stack_overflow(void)
{
	int sum;

	cp_at_crash(false);
	sum = recurse(FRAMES);
	OPTIMIZER_HIDE_VAR(sum);
}

/* It would not crash for sure, but for sure write over somebody's memory. */
const char *cp_stack_overflow_missing(void)
{
	if (!IS_ENABLED(CONFIG_VMAP_STACK))
		return "it needs CONFIG_VMAP_STACK, which puts guard pages around stacks";
	return NULL;
}

#ifdef CONFIG_X86_64
/*
 * The last 2 MB of the address space are an unused hole, with four and with five
 * levels of page tables (Documentation/arch/x86/x86_64/mm.rst). Its middle is no
 * guard page of any stack, which would be reported as an overflow.
 */
#define HOLE	0xfffffffffff00000UL

/*
 * The push faults, and the page fault has no stack to push its frame to. Should
 * something be mapped there after all, the old stack pointer comes back.
 */
void cp_crash_double_fault(void)
{
	unsigned long old;

	cp_at_crash(false);
	asm volatile("movq %%rsp, %[old]\n\t"
		     "movq %[hole], %%rsp\n\t"
		     "pushq $0\n\t"
		     "movq %[old], %%rsp"
		     : [old] "=&r" (old)
		     : [hole] "r" (HOLE)
		     : "memory");
}
STACK_FRAME_NON_STANDARD(cp_crash_double_fault);

const char *cp_double_fault_missing(void)
{
	return NULL;
}
#else
void cp_crash_double_fault(void)
{
}

const char *cp_double_fault_missing(void)
{
	return "it is written for x86-64 alone";
}
#endif

/* noinline, and so without the knowledge that it writes past a buffer. */
static noinline void overwrite(char *from)
{
	memset(from, 0xff, 64);
}

/*
 * Eight bytes of char are what every strength of the stack protector guards. It
 * compares on return, and finds the guard between them and the return address
 * overwritten.
 */
void cp_crash_corrupt_stack(void)
{
	char buffer[8] __aligned(sizeof(void *));
	char *from = buffer;

	cp_at_crash(false);
	/* Or the compiler warns of what is meant. */
	OPTIMIZER_HIDE_VAR(from);
	overwrite(from);
}

const char *cp_corrupt_stack_missing(void)
{
	if (!IS_ENABLED(CONFIG_STACKPROTECTOR))
		return "it needs CONFIG_STACKPROTECTOR";
	return NULL;
}
