// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash point `direct`: the writer that armed it hits it himself, in his
 * write to the control file.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "points.h"

/*
 * He may wait long for his conditions. Another writer's disarming must not take
 * the device away while he counts its requests: it waits until he has seen that
 * he is disarmed. After firing there is nobody to wait for, since the crash may
 * have killed him.
 */
static DECLARE_COMPLETION(left);

int cp_direct_arm(void)
{
	reinit_completion(&left);
	return 0;
}

void cp_direct_disarm(void)
{
	if (atomic_read(&cp_state) != CP_FIRED)
		wait_for_completion(&left);
}

/*
 * The wait for the conditions. It holds no mutex, neither here nor at the crash:
 * a crash that kills only the writer must leave the control file usable, and
 * another writer may disarm. 0 if the trial fired.
 */
static int wait_here(void)
{
	unsigned long end = jiffies + CP_DIRECT_SECONDS * HZ;
	ktime_t pause = ms_to_ktime(1);

	do {
		if (cp_hit(0))
			return 0;
		if (signal_pending(current))
			return -EINTR;
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_hrtimeout_range(&pause, 100 * NSEC_PER_USEC, HRTIMER_MODE_REL);
	} while (time_before(jiffies, end) && atomic_read(&cp_state) == CP_ARMED);
	return -ETIME;
}

/* The same with the writer moved to the CPU that he named, and back. */
static int wait_on(int cpu)
{
	cpumask_var_t allowed;
	int err;

	if (cpu < 0)
		return wait_here();
	if (!alloc_cpumask_var(&allowed, GFP_KERNEL))
		return -ENOMEM;
	cpumask_copy(allowed, current->cpus_ptr);
	err = set_cpus_allowed_ptr(current, cpumask_of(cpu));
	if (!err)
		err = wait_here();
	set_cpus_allowed_ptr(current, allowed);
	free_cpumask_var(allowed);
	return err;
}

/* After an error the writer touches the trial no more, but under the mutex. */
int cp_direct_wait(int cpu)
{
	int err = wait_on(cpu);

	if (err)
		complete_all(&left);
	return err;
}
