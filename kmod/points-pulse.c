// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pulse: a timer that beats each jiffy while a trial is armed that needs it.
 * It gives an idle machine something to expire and to serve, sets off the points
 * that are the module's own, and counts the requests in flight where they cannot
 * be counted at the hit. A tasklet or a work item that queued itself again would
 * beat too, but keep a thread busy, and so change the load under test.
 */
#include <linux/jiffies.h>
#include <linux/timer.h>

#include "points.h"

static void beat(struct timer_list *unused);
static DEFINE_TIMER(pulse, beat);

static void beat(struct timer_list *unused)
{
	const struct cp_point *point = cp_trial.point;

	if (atomic_read_acquire(&cp_state) != CP_ARMED)
		return;
	cp_inflight_sample();
	if (point->pulse)
		point->pulse();
	mod_timer(&pulse, jiffies + 1);
}

/* The rare cases where nothing else takes the count: see may_count(). */
static bool sample_needed(void)
{
	return cp_trial.disk && IS_ENABLED(CONFIG_PREEMPT_RT);
}

/* With a CPU given, it beats there and nowhere else. */
void cp_pulse_start(void)
{
	if (!cp_trial.point->pulsed && !sample_needed())
		return;
	timer_setup(&pulse, beat, cp_trial.cpu < 0 ? 0 : TIMER_PINNED);
	pulse.expires = jiffies + 1;
	if (cp_trial.cpu < 0)
		add_timer(&pulse);
	else
		add_timer_on(&pulse, cp_trial.cpu);
}

void cp_pulse_stop(void)
{
	timer_delete_sync(&pulse);
}
