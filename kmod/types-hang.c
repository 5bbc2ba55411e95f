// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crashes that are no fault: a CPU or a task that never comes back. Whether
 * anything comes of it is up to the kernel's detectors, most of them off unless
 * somebody turned them on.
 */
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/sched.h>

#include "crashpoint.h"
#include "types.h"

/* Interrupts are on: cp_hit() lets no other hit fire. */
void cp_crash_loop(void)
{
	preempt_disable();
	cp_at_crash(false);
	for (;;)
		cpu_relax();
}

void cp_crash_loop_irqoff(void)
{
	local_irq_disable();
	cp_at_crash(false);
	for (;;)
		cpu_relax();
}

/* A loop, since anybody may wake anybody, and khungtaskd counts the switches. */
void cp_crash_hung_task(void)
{
	cp_at_crash(false);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}
