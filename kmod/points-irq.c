// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of the crash points on the ways of interrupts, hard and soft.
 */
#include <linux/interrupt.h>
#include <linux/preempt.h>
#include <linux/timer.h>
#include <trace/events/irq.h>
#include <trace/events/timer.h>

#include "points.h"

/* The flow handlers: they are what acknowledges, so their entry is before it. */
const char *const cp_irq_entry_functions[] = {
	"handle_edge_irq",
	"handle_fasteoi_irq",
	"handle_level_irq",
	NULL
};

void cp_probe_irq_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	/* Lost interrupts are raised again from a tasklet. */
	if (in_hardirq())
		cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_irq_handler(void *data, int irq, struct irqaction *action)
{
	cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_softirq(void *data, unsigned int vector)
{
	cp_hit(CP_PROBE_PREEMPT);
}

/* tasklet_action() is static and has no tracepoint: this is right before it. */
void cp_probe_tasklet_entry(void *data, unsigned int vector)
{
	if (vector == TASKLET_SOFTIRQ || vector == HI_SOFTIRQ)
		cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_timer(void *data, struct timer_list *timer, unsigned long baseclk)
{
	/* Those expire with interrupts off: another context. */
	if (timer->flags & TIMER_IRQSAFE)
		return;
	cp_hit(CP_PROBE_PREEMPT);
}

/* The compiler alone calls it: a probe's arguments must be its tracepoint's. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_irq_handler_entry(cp_probe_irq_handler);
	check_trace_callback_type_softirq_entry(cp_probe_softirq);
	check_trace_callback_type_softirq_entry(cp_probe_tasklet_entry);
	check_trace_callback_type_timer_expire_entry(cp_probe_timer);
}
