// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trigger: decides at a crash point whether this hit is the one, says so on
 * the console, stores the fired record, and crashes.
 *
 * Runs in whatever context the crash point has, NMIs included: it takes no lock,
 * sleeps nowhere and allocates nothing. In an NMI the kernel stores a message in
 * the log buffer at once and shows it on the console later, which after a crash
 * may be never: the lines are in the dump then, but not on the console.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "crashpoint.h"

struct cp_trial cp_trial;
atomic_t cp_state = ATOMIC_INIT(CP_DISARMED);

struct context {
	u32 flags;
	u32 preempt;
	enum cp_task task;
	s32 cpu;
	s32 inflight;
};

static const char * const task_names[] = {
	[CP_TASK_USER]		= "user",
	[CP_TASK_KTHREAD]	= "kthread",
	[CP_TASK_KWORKER]	= "kworker",
	[CP_TASK_IRQ_THREAD]	= "irq-thread",
	[CP_TASK_KSOFTIRQD]	= "ksoftirqd",
	[CP_TASK_IDLE]		= "idle",
};

static u32 context_flags(void)
{
	return (in_nmi() ? CP_IN_NMI : 0) |
	       (in_hardirq() ? CP_IN_HARDIRQ : 0) |
	       (in_serving_softirq() ? CP_IN_SOFTIRQ : 0) |
	       (irqs_disabled() ? CP_IRQS_OFF : 0);
}

/* The kind alone: a task's name may be private. The names below are the kernel's own. */
static enum cp_task task_kind(const struct task_struct *task)
{
	if (is_idle_task(task))
		return CP_TASK_IDLE;
	if (!(task->flags & PF_KTHREAD))
		return CP_TASK_USER;
	if (task->flags & PF_WQ_WORKER)
		return CP_TASK_KWORKER;
	if (strstarts(task->comm, "irq/"))
		return CP_TASK_IRQ_THREAD;
	if (strstarts(task->comm, "ksoftirqd/") || strstarts(task->comm, "ktimers/"))
		return CP_TASK_KSOFTIRQD;
	return CP_TASK_KTHREAD;
}

static bool may_sleep(void)
{
	return !in_interrupt() && !preempt_count() && !irqs_disabled() && !rcu_preempt_depth();
}

/*
 * What the type needs and does not find at this hit, or NULL. A crash whose
 * condition cannot be met would be another crash under its name.
 */
static const char *lacking(const struct cp_type *type)
{
	if (type->not_in_nmi && in_nmi())
		return "another context than an NMI";
	if (type->needs_irqs && irqs_disabled())
		return "interrupts on";
	if (type->sleeps && !may_sleep())
		return "to sleep";
	return NULL;
}

/* Once for each arming: such hits may come by the thousand. */
static void note_lacking(const struct cp_trial *t, const char *what)
{
	static unsigned int noted;
	unsigned int arming = t->arming;

	if (xchg(&noted, arming) != arming)
		pr_warn("hit of point %s ignored, as are its like: type %s needs %s\n",
			t->point->name, t->type->name, what);
}

static void print_trigger(const struct cp_trial *t, const struct context *c)
{
	pr_emerg("v=2 nonce=%*phN point=%s type=%s in_nmi=%d in_hardirq=%d in_softirq=%d irqs_off=%d preempt=%08x task=%s cpu=%d inflight=%d\n",
		 CP_NONCE_BYTES, t->nonce, t->point->name, t->type->name,
		 !!(c->flags & CP_IN_NMI), !!(c->flags & CP_IN_HARDIRQ),
		 !!(c->flags & CP_IN_SOFTIRQ), !!(c->flags & CP_IRQS_OFF),
		 c->preempt, task_names[c->task], c->cpu, c->inflight);
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
	WRITE_ONCE(r->flags, cpu_to_le32(c->flags | c->task << CP_TASK_SHIFT));
	WRITE_ONCE(r->preempt_count, cpu_to_le32(c->preempt));
	WRITE_ONCE(r->cpu, cpu_to_le32(c->cpu));
	WRITE_ONCE(r->inflight, cpu_to_le32(c->inflight));
	WRITE_ONCE(r->time_ns, cpu_to_le64(ktime_get_mono_fast_ns()));
	memcpy(&magic, "DSFIRED1", sizeof(magic));
	smp_wmb();	/* the fields before the magic */
	WRITE_ONCE(r->magic, magic);
	smp_wmb();	/* the magic before the fault */
}

/* By the crash's own CPU alone, after the trigger: nobody else writes the flags. */
void cp_add_fired_flags(u32 flags)
{
	struct cp_fired_record *r = cp_fired_record();

	WRITE_ONCE(r->flags, r->flags | cpu_to_le32(flags));
	smp_wmb();	/* the flags before the fault */
}

/*
 * For a type that has set up its condition: the last thing before the fatal act.
 * The counts are as they are, with what a tracepoint has added.
 */
void cp_at_crash(bool lock_held)
{
	u32 preempt = preempt_count();
	bool irqs_off = irqs_disabled();

	pr_emerg("at crash v=1 nonce=%*phN irqs_off=%d preempt=%08x lock_held=%d\n",
		 CP_NONCE_BYTES, cp_trial.nonce, irqs_off, preempt, lock_held);
	cp_add_fired_flags(CP_CRASH_KNOWN |
			   (irqs_off ? CP_CRASH_IRQS_OFF : 0) |
			   (preempt ? CP_CRASH_PREEMPT_OFF : 0) |
			   (lock_held ? CP_CRASH_LOCK_HELD : 0));
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
		.task = task_kind(current),
		.cpu = raw_smp_processor_id(),
	};
	unsigned int arming;
	const char *what;

	if (atomic_read_acquire(&cp_state) != CP_ARMED)
		return false;
	if (t->cpu >= 0 && c.cpu != t->cpu)
		return false;
	what = lacking(t->type);
	if (what) {
		note_lacking(t, what);
		return false;
	}
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
	arming = t->arming;
	t->type->crash();
	/* A type that sleeps may come back to a trial that is no longer its own. */
	if (t->arming == arming && atomic_read(&cp_state) == CP_FIRED)
		cp_survived();
	return true;
}
