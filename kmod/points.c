// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash points: how to arm and disarm each, and one table.
 *
 * Points in other code hang on tracepoints. A kprobe would do as well but for
 * its int3, whose handler runs as if in an NMI: not the context under test.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>

#include "crashpoint.h"

/* Tracepoints turn preemption off around their probes. */
#define TRACEPOINT_PREEMPT	(IS_ENABLED(CONFIG_PREEMPT_COUNT) ? 1 : 0)

static struct tracepoint *tracepoints[8];	/* by index into cp_points */

static int arm_tracepoint(const struct cp_point *point)
{
	return tracepoint_probe_register(tracepoints[point - cp_points], point->probe, NULL);
}

static void disarm_tracepoint(const struct cp_point *point)
{
	tracepoint_probe_unregister(tracepoints[point - cp_points], point->probe, NULL);
	tracepoint_synchronize_unregister();
}

/*
 * The pulse beats each jiffy while `timer` or `tasklet` is armed. It gives an
 * idle machine's timer wheel something to expire, and it is what schedules the
 * tasklet: a tasklet that reschedules itself would keep ksoftirqd busy, and so
 * change the load under which the crash is to happen.
 */
static void pulse_beat(struct timer_list *unused);
static int arm_tasklet(const struct cp_point *point);
static void tasklet_work(struct tasklet_struct *unused);
static DEFINE_TIMER(pulse, pulse_beat);
static DECLARE_TASKLET(work, tasklet_work);

static void pulse_beat(struct timer_list *unused)
{
	if (atomic_read(&cp_state) != CP_ARMED)
		return;
	if (cp_trial.point->arm == arm_tasklet)
		tasklet_schedule(&work);
	mod_timer(&pulse, jiffies + 1);
}

/*
 * "In the middle of a tasklet's work": the tasklet is our own, since the
 * kernel's function that runs them is static and has no tracepoint. What counts
 * is the context, and it is the same in every tasklet.
 */
static void tasklet_work(struct tasklet_struct *unused)
{
	cp_hit(0);
}

static int arm_tasklet(const struct cp_point *point)
{
	mod_timer(&pulse, jiffies + 1);
	return 0;
}

static void disarm_tasklet(const struct cp_point *point)
{
	timer_delete_sync(&pulse);
	tasklet_kill(&work);
}

static int arm_timer(const struct cp_point *point)
{
	int err = arm_tracepoint(point);

	if (!err)
		mod_timer(&pulse, jiffies + 1);
	return err;
}

static void disarm_timer(const struct cp_point *point)
{
	timer_delete_sync(&pulse);
	disarm_tracepoint(point);
}

/*
 * `direct` is hit by the writer that armed it, who may wait long for his
 * conditions. Another writer's disarming must not take the device away while he
 * counts its requests: it waits until he has seen that he is disarmed. After
 * firing there is nobody to wait for, since the crash may have killed him.
 */
static DECLARE_COMPLETION(direct_left);

static int arm_direct(const struct cp_point *point)
{
	reinit_completion(&direct_left);
	return 0;
}

static void disarm_direct(const struct cp_point *point)
{
	if (atomic_read(&cp_state) != CP_FIRED)
		wait_for_completion(&direct_left);
}

/* The writer will not touch the trial again, other than under the mutex. */
void cp_direct_leave(void)
{
	complete_all(&direct_left);
}

static void probe_irq_handler(void *data, int irq, struct irqaction *action)
{
	cp_hit(TRACEPOINT_PREEMPT);
}

static void probe_timer(void *data, struct timer_list *timer, unsigned long baseclk)
{
	/* Those expire with interrupts off: another context. */
	if (timer->flags & TIMER_IRQSAFE)
		return;
	cp_hit(TRACEPOINT_PREEMPT);
}

static void probe_block_submit(void *data, struct bio *bio)
{
	if (disk_devt(bio->bi_bdev->bd_disk) == cp_trial.disk)
		cp_hit(TRACEPOINT_PREEMPT);
}

static void probe_block_dispatch(void *data, struct request *rq)
{
	if (rq->q->disk && disk_devt(rq->q->disk) == cp_trial.disk)
		cp_hit(TRACEPOINT_PREEMPT);
}

const struct cp_point cp_points[] = {
	{
		.name = "direct",
		.description = "process context, in the write to this file",
		.in_control = true,
		.arm = arm_direct,
		.disarm = disarm_direct,
	}, {
		.name = "irq-handler",
		.description = "hard interrupt, before a device's handler",
		.tracepoint = "irq_handler_entry",
		.probe = probe_irq_handler,
		.arm = arm_tracepoint,
		.disarm = disarm_tracepoint,
	}, {
		.name = "tasklet",
		.description = "soft interrupt, in the middle of a tasklet's work",
		.arm = arm_tasklet,
		.disarm = disarm_tasklet,
	}, {
		.name = "timer",
		.description = "soft interrupt, expiry of a timer",
		.tracepoint = "timer_expire_entry",
		.probe = probe_timer,
		.arm = arm_timer,
		.disarm = disarm_timer,
	}, {
		.name = "block-submit",
		.description = "submission of a bio to the device",
		.needs_device = true,
		.tracepoint = "block_bio_queue",
		.probe = probe_block_submit,
		.arm = arm_tracepoint,
		.disarm = disarm_tracepoint,
	}, {
		.name = "block-dispatch",
		.description = "dispatch of a request to the device's driver",
		.needs_device = true,
		.tracepoint = "block_rq_issue",
		.probe = probe_block_dispatch,
		.arm = arm_tracepoint,
		.disarm = disarm_tracepoint,
	},
};

const unsigned int cp_point_count = ARRAY_SIZE(cp_points);
static_assert(ARRAY_SIZE(cp_points) <= ARRAY_SIZE(tracepoints));

static void find_one(struct tracepoint *tp, void *unused)
{
	unsigned int i;

	for (i = 0; i < cp_point_count; i++)
		if (cp_points[i].tracepoint && !strcmp(cp_points[i].tracepoint, tp->name))
			tracepoints[i] = tp;
}

void cp_points_init(void)
{
	for_each_kernel_tracepoint(find_one, NULL);
}

/* The tracepoint that this kernel lacks, or NULL if the point can be armed. */
const char *cp_point_missing(const struct cp_point *point)
{
	if (!point->tracepoint || tracepoints[point - cp_points])
		return NULL;
	return point->tracepoint;
}
