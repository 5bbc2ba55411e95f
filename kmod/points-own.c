// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crash points in code of our own, run by the kernel's own machinery, where a
 * probe would not reach or would change the context: a tracepoint's probe runs
 * with preemption off, and may not sleep. What counts is the context, and it is
 * the same in everybody's tasklet, work item and interrupt thread.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "points.h"

/* "In the middle of a tasklet's work". */
static void hit_in_tasklet(struct tasklet_struct *unused)
{
	cp_hit(0);
}

static DECLARE_TASKLET(hitting, hit_in_tasklet);

void cp_tasklet_pulse(void)
{
	tasklet_schedule(&hitting);
}

void cp_tasklet_disarm(void)
{
	tasklet_kill(&hitting);
}

/* What `tasklet-entry` needs: the point is before it runs. */
static void do_nothing(struct tasklet_struct *unused)
{
}

static DECLARE_TASKLET(nothing, do_nothing);

void cp_nothing_pulse(void)
{
	tasklet_schedule(&nothing);
}

void cp_nothing_disarm(void)
{
	tasklet_kill(&nothing);
}

/*
 * A crash that was survived may have killed the thread that it was in, and then
 * the kernel waits for ever for what that thread was doing. What it was doing is
 * left as it is then, and so is the module that it lies in.
 */
static bool killed(const bool *inside)
{
	unsigned int i;

	if (atomic_read(&cp_state) != CP_FIRED)
		return false;
	for (i = 0; i < 20 && READ_ONCE(*inside); i++)
		msleep(5);
	if (!READ_ONCE(*inside))
		return false;
	__module_get(THIS_MODULE);
	pr_warn("the thread at point %s was killed: the module cannot be unloaded any more\n",
		cp_trial.point->name);
	return true;
}

struct own_work {
	struct work_struct work;
	bool inside;
};

static struct own_work *own_work;

static void hit_in_work(struct work_struct *work)
{
	struct own_work *own = container_of(work, struct own_work, work);

	WRITE_ONCE(own->inside, true);
	cp_hit(0);
	WRITE_ONCE(own->inside, false);
}

int cp_work_arm(void)
{
	own_work = kzalloc(sizeof(*own_work), GFP_KERNEL);
	if (!own_work)
		return -ENOMEM;
	INIT_WORK(&own_work->work, hit_in_work);
	return 0;
}

void cp_work_pulse(void)
{
	schedule_work_on(smp_processor_id(), &own_work->work);
}

void cp_work_disarm(void)
{
	if (killed(&own_work->inside))
		return;
	cancel_work_sync(&own_work->work);
	kfree(own_work);
}

/* An interrupt line without hardware: the pulse raises it, its thread is real. */
struct own_thread {
	int line;
	bool inside;
};

static struct own_thread *own_thread;

static irqreturn_t wake_thread(int irq, void *unused)
{
	return IRQ_WAKE_THREAD;
}

static irqreturn_t hit_in_thread(int irq, void *data)
{
	struct own_thread *own = data;
	int cpu = cp_trial.cpu;

	/* Without hardware the line has no affinity that the thread could follow. */
	if (cpu >= 0 && raw_smp_processor_id() != cpu)
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
	WRITE_ONCE(own->inside, true);
	cp_hit(0);
	WRITE_ONCE(own->inside, false);
	return IRQ_HANDLED;
}

static int new_line(void)
{
	int line = irq_alloc_desc(NUMA_NO_NODE);

	if (line < 0)
		return line;
	irq_set_chip_and_handler(line, &dummy_irq_chip, handle_simple_irq);
	irq_clear_status_flags(line, IRQ_NOREQUEST);
	irq_set_status_flags(line, IRQ_NOPROBE);
	return line;
}

/* IRQF_NO_THREAD: with "threadirqs" wake_thread() would be a thread as well. */
int cp_thread_arm(void)
{
	int err;

	own_thread = kzalloc(sizeof(*own_thread), GFP_KERNEL);
	if (!own_thread)
		return -ENOMEM;
	err = new_line();
	if (err < 0)
		goto free;
	own_thread->line = err;
	err = request_threaded_irq(own_thread->line, wake_thread, hit_in_thread, IRQF_NO_THREAD,
				   KBUILD_MODNAME, own_thread);
	if (!err)
		return 0;
	irq_free_desc(own_thread->line);
free:
	kfree(own_thread);
	return err;
}

void cp_thread_pulse(void)
{
	generic_handle_irq_safe(own_thread->line);
}

void cp_thread_disarm(void)
{
	if (killed(&own_thread->inside))
		return;
	free_irq(own_thread->line, own_thread);
	irq_free_desc(own_thread->line);
	kfree(own_thread);
}

const char *cp_thread_missing(void)
{
	int line = new_line();

	if (line < 0)
		return "no interrupt line is free";
	irq_free_desc(line);
	return NULL;
}
