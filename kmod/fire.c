// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trigger: decides at a crash point whether this hit is the one, says so on
 * the console, stores the fired record, and crashes.
 *
 * Runs in whatever context the crash point has, hard interrupts included: it
 * takes no lock, sleeps nowhere and allocates nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "crashpoint.h"

struct cp_trial cp_trial;
atomic_t cp_state = ATOMIC_INIT(CP_DISARMED);

struct context {
	u32 flags;
	u32 preempt;
	s32 cpu;
	s32 inflight;
};

static u32 context_flags(void)
{
	return (in_nmi() ? CP_IN_NMI : 0) |
	       (in_hardirq() ? CP_IN_HARDIRQ : 0) |
	       (in_serving_softirq() ? CP_IN_SOFTIRQ : 0) |
	       (irqs_disabled() ? CP_IRQS_OFF : 0);
}

static void print_trigger(const struct cp_trial *t, const struct context *c)
{
	pr_emerg("v=1 nonce=%*phN point=%s type=%s in_nmi=%d in_hardirq=%d in_softirq=%d irqs_off=%d preempt=%08x cpu=%d inflight=%d\n",
		 CP_NONCE_BYTES, t->nonce, t->point->name, t->type->name,
		 !!(c->flags & CP_IN_NMI), !!(c->flags & CP_IN_HARDIRQ),
		 !!(c->flags & CP_IN_SOFTIRQ), !!(c->flags & CP_IRQS_OFF),
		 c->preempt, c->cpu, c->inflight);
}

/*
 * The page's magic changes last, so that a record that says "fired" is whole.
 */
static void store_fired(const struct cp_trial *t, const struct context *c)
{
	struct cp_fired_record *r = cp_fired_record();
	__le64 magic;

	strscpy_pad(r->point, t->point->name, sizeof(r->point));
	strscpy_pad(r->type, t->type->name, sizeof(r->type));
	WRITE_ONCE(r->flags, cpu_to_le32(c->flags));
	WRITE_ONCE(r->preempt_count, cpu_to_le32(c->preempt));
	WRITE_ONCE(r->cpu, cpu_to_le32(c->cpu));
	WRITE_ONCE(r->inflight, cpu_to_le32(c->inflight));
	WRITE_ONCE(r->time_ns, cpu_to_le64(ktime_get_mono_fast_ns()));
	memcpy(&magic, "DSFIRED1", sizeof(magic));
	smp_wmb();	/* the fields before the magic */
	WRITE_ONCE(r->magic, magic);
	smp_wmb();	/* the magic before the fault */
}

/* For a crash that was not fatal: what should have happened. */
void cp_survived(void)
{
	struct cp_trial *t = &cp_trial;

	t->survived = true;
	pr_emerg("survived nonce=%*phN type=%s: expected %s\n",
		 CP_NONCE_BYTES, t->nonce, t->type->name, t->type->expected);
}

/*
 * One hit of the armed point. own_preempt is what the way here has added to the
 * preemption count of the crash point. True if the trial fired, whatever came
 * of it.
 */
bool cp_hit(unsigned int own_preempt)
{
	struct cp_trial *t = &cp_trial;
	struct context c = {
		.flags = context_flags(),
		.preempt = preempt_count() - own_preempt,
		.cpu = raw_smp_processor_id(),
	};

	if (atomic_read_acquire(&cp_state) != CP_ARMED)
		return false;
	if (t->cpu >= 0 && c.cpu != t->cpu)
		return false;
	c.inflight = cp_inflight();
	if (t->inflight && c.inflight < (int)t->inflight)
		return false;
	if (atomic_dec_if_positive(&t->skip) >= 0)
		return false;
	/* Hits come on several CPUs at once: one of them fires. */
	if (atomic_cmpxchg(&cp_state, CP_ARMED, CP_FIRED) != CP_ARMED)
		return false;

	print_trigger(t, &c);
	store_fired(t, &c);
	t->type->crash();
	cp_survived();
	return true;
}
