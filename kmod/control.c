// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the control file: check, plant, arm, disarm.
 *
 * A command is words "key=value" between blanks. It is checked whole before
 * anything is done: a refused command changes nothing, and one line in the log
 * says why and what is accepted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "command.h"

#define DIRECT_SECONDS	10

static DEFINE_MUTEX(control_mutex);

void cp_lock(void)
{
	mutex_lock(&control_mutex);
}

void cp_unlock(void)
{
	mutex_unlock(&control_mutex);
}

static int plant(const struct command *c);
static int arm(const struct command *c);
static int disarm(const struct command *c);

static const struct action {
	const char *name;
	const char *usage;
	unsigned int required;
	unsigned int optional;
	int (*run)(const struct command *c);
} actions[] = {
	{
		.name = "plant",
		.usage = " nonce=N",
		.required = BIT(KEY_NONCE),
		.run = plant,
	}, {
		.name = "arm",
		.usage = " nonce=N point=NAME type=NAME [device=MAJOR:MINOR] [interface=NAME] [pci=DDDD:BB:SS.F] [inflight=N] [skip=N] [cpu=N]",
		.required = BIT(KEY_NONCE) | BIT(KEY_POINT) | BIT(KEY_TYPE),
		.optional = BIT(KEY_DEVICE) | BIT(KEY_INTERFACE) | BIT(KEY_PCI) |
			    BIT(KEY_INFLIGHT) | BIT(KEY_SKIP) | BIT(KEY_CPU),
		.run = arm,
	}, {
		.name = "disarm",
		.usage = "",
		.run = disarm,
	},
};

static void close_targets(void)
{
	cp_device_close();
	cp_pci_close();
}

/* Undoes an arming, fired or not. The state is CP_DISARMED or CP_FIRED. */
static void stand_down(void)
{
	cp_point_disarm(cp_trial.point);
	close_targets();
	atomic_set(&cp_state, CP_DISARMED);
	module_put(THIS_MODULE);
}

static int refuse_busy(void)
{
	return refuse(-EBUSY, "%s nonce=%*phN: action=disarm comes first",
		      atomic_read(&cp_state) == CP_FIRED ? "fired" : "armed",
		      CP_NONCE_BYTES, cp_trial.nonce);
}

static int plant(const struct command *c)
{
	int err;

	if (atomic_read(&cp_state) != CP_DISARMED)
		return refuse_busy();
	if (cp_planted(c->nonce))
		return refuse(-EINVAL, "nonce %s is planted already; accepted is another one",
			      c->value[KEY_NONCE]);
	err = cp_plant(c->nonce);
	if (err)
		return refuse(err, "no memory to plant in; what was planted stays");
	return 0;
}

/*
 * The wait of `direct` for its conditions. It holds no mutex, neither here nor
 * at the crash: a crash that kills only the writer must leave the control file
 * usable, and another writer may disarm. 0 if the trial fired.
 */
static int wait_direct(void)
{
	unsigned long end = jiffies + DIRECT_SECONDS * HZ;
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
static int wait_direct_on(int cpu)
{
	cpumask_var_t allowed;
	int err;

	if (cpu < 0)
		return wait_direct();
	if (!alloc_cpumask_var(&allowed, GFP_KERNEL))
		return -ENOMEM;
	cpumask_copy(allowed, current->cpus_ptr);
	err = set_cpus_allowed_ptr(current, cpumask_of(cpu));
	if (!err)
		err = wait_direct();
	set_cpus_allowed_ptr(current, allowed);
	free_cpumask_var(allowed);
	return err;
}

static int hit_direct(unsigned int arming, int cpu)
{
	int err = wait_direct_on(cpu);

	if (!err)
		return 0;
	cp_direct_leave();

	cp_lock();
	if (cp_trial.arming != arming ||
	    atomic_cmpxchg(&cp_state, CP_ARMED, CP_DISARMED) != CP_ARMED) {
		cp_unlock();
		return refuse(-ECANCELED, "disarmed by another writer while waiting");
	}
	if (err == -ETIME)
		pr_warn("not fired: %d requests in flight after %d s, inflight=%u skip=%d left; disarmed\n",
			cp_inflight(), DIRECT_SECONDS, cp_trial.inflight,
			atomic_read(&cp_trial.skip));
	else if (err == -EINTR)
		pr_warn("not fired: interrupted while waiting; disarmed\n");
	else
		pr_warn("not fired: the writer cannot move to CPU %d (%d); disarmed\n", cpu, err);
	stand_down();
	cp_unlock();
	return err;
}

/* Pairs that would crash elsewhere than at the point, or not as the type says. */
static int check_pair(const struct cp_point *point, const struct cp_type *type)
{
	const char *point_missing = cp_point_missing(point);
	const char *type_missing = type->missing ? type->missing() : NULL;

	if (point_missing)
		return refuse(-EINVAL, "point %s is unavailable: %s", point->name, point_missing);
	if (type_missing)
		return refuse(-EINVAL, "type %s is unavailable: %s", type->name, type_missing);
	if (type->sleeps && !point->may_sleep)
		return refuse(-EINVAL, "type %s sleeps, and point %s may not; accepted are direct, workqueue, threaded-irq",
			      type->name, point->name);
	if (type->not_in_nmi && point->in_nmi)
		return refuse(-EINVAL, "type %s cannot be had in an NMI; accepted is another point than %s",
			      type->name, point->name);
	return 0;
}

static const struct need {
	unsigned int bit;
	enum cp_key key;
	const char *name;
	const char *usage;
	bool anywhere;			/* of use at other points, too */
} needs[] = {
	{ CP_NEEDS_DISK, KEY_DEVICE, "device", "device=MAJOR:MINOR", true },
	{ CP_NEEDS_INTERFACE, KEY_INTERFACE, "interface", "interface=NAME", false },
	{ CP_NEEDS_PCI, KEY_PCI, "pci", "pci=DDDD:BB:SS.F", false },
};

static int check_needs(const struct command *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		bool needed = c->point->needs & needs[i].bit;
		bool given = c->value[needs[i].key];

		if (needed && !given)
			return refuse(-EINVAL, "point %s needs %s", c->point->name, needs[i].usage);
		if (given && !needed && !needs[i].anywhere)
			return refuse(-EINVAL, "point %s takes no %s=", c->point->name, needs[i].name);
	}
	if (c->inflight && !c->value[KEY_DEVICE])
		return refuse(-EINVAL, "inflight=%u needs device=MAJOR:MINOR", c->inflight);
	return 0;
}

static int check_arm(const struct command *c)
{
	int err;

	if (atomic_read(&cp_state) != CP_DISARMED)
		return refuse_busy();
	if (!cp_planted(NULL))
		return refuse(-EINVAL, "nothing is planted: action=plant nonce=%s comes first",
			      c->value[KEY_NONCE]);
	if (!cp_planted(c->nonce))
		return refuse(-EINVAL, "nonce %s is not the planted one", c->value[KEY_NONCE]);
	if (cp_has_fired())
		return refuse(-EINVAL, "nonce %s has fired; a nonce fires once: plant another one",
			      c->value[KEY_NONCE]);
	err = check_pair(c->point, c->type);
	if (err)
		return err;
	if (c->cpu >= 0 && (c->cpu >= nr_cpu_ids || !cpu_online(c->cpu)))
		return refuse(-EINVAL, "CPU %d is not online; accepted are %*pbl",
			      c->cpu, cpumask_pr_args(cpu_online_mask));
	return check_needs(c);
}

static int open_disk(const struct command *c)
{
	int err = cp_device_open(c->device);

	if (err)
		return refuse(-EINVAL, "device %s cannot be opened (%d); accepted is a block device's MAJOR:MINOR",
			      c->value[KEY_DEVICE], err);
	if (c->inflight && cp_inflight() < 0)
		return refuse(-EINVAL, "device %s does not count its requests; accepted is inflight=0",
			      c->value[KEY_DEVICE]);
	cp_trial.disk = cp_device_disk();
	return 0;
}

static int open_interface(const struct command *c)
{
	cp_trial.ifindex = cp_interface_index(c->value[KEY_INTERFACE]);
	return cp_trial.ifindex ? 0 :
		refuse(-EINVAL, "there is no interface %s; /sys/class/net lists them",
		       c->value[KEY_INTERFACE]);
}

/* What the hits must be about. */
static int open_targets(const struct command *c)
{
	int err = 0;

	cp_trial.disk = 0;
	cp_trial.ifindex = 0;
	if (c->value[KEY_DEVICE])
		err = open_disk(c);
	if (!err && c->value[KEY_INTERFACE])
		err = open_interface(c);
	if (!err && c->value[KEY_PCI])
		err = cp_pci_open(c->pci.domain, c->pci.bus, c->pci.devfn);
	if (err)
		close_targets();
	return err;
}

static int arm(const struct command *c)
{
	int err = check_arm(c);

	if (!err)
		err = open_targets(c);
	if (err)
		return err;
	if (!try_module_get(THIS_MODULE)) {
		close_targets();
		return refuse(-EBUSY, "the module is being unloaded");
	}
	memcpy(cp_trial.nonce, c->nonce, sizeof(cp_trial.nonce));
	cp_trial.point = c->point;
	cp_trial.type = c->type;
	cp_trial.inflight = c->inflight;
	cp_trial.cpu = c->cpu;
	atomic_set(&cp_trial.skip, c->skip);
	cp_trial.survived = false;
	cp_trial.arming++;
	/* The trial before the state: hits read them the other way round. */
	atomic_set_release(&cp_state, CP_ARMED);
	err = cp_point_arm(c->point);
	if (err) {
		atomic_set(&cp_state, CP_DISARMED);
		close_targets();
		module_put(THIS_MODULE);
		return refuse(err, "point %s took no probe (%d)%s", c->point->name, err,
			      err == -EBUSY ? "; is kernel.ftrace_enabled=0?" : "");
	}
	return 0;
}

static int disarm(const struct command *c)
{
	if (atomic_read(&cp_state) == CP_DISARMED)
		return refuse(-EINVAL, "nothing is armed");
	if (atomic_cmpxchg(&cp_state, CP_ARMED, CP_DISARMED) == CP_FIRED) {
		/* Its CPU is still inside the probe, and waiting for it is endless. */
		if (cp_trial.type->hangs)
			return refuse(-EBUSY, "type %s is looping and cannot be disarmed",
				      cp_trial.type->name);
		if (!cp_trial.survived)
			cp_survived();
	}
	stand_down();
	return 0;
}

static const struct action *find_action(const struct command *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (c->value[KEY_ACTION] && !strcmp(c->value[KEY_ACTION], actions[i].name))
			return &actions[i];
	return NULL;
}

static int check_keys(const struct command *c, const struct action *action)
{
	unsigned int key;

	for (key = 0; key < KEYS; key++) {
		bool required = action->required & BIT(key);
		bool allowed = required || (action->optional & BIT(key)) || key == KEY_ACTION;

		if (required && !c->value[key])
			return refuse(-EINVAL, "action=%s without %s; accepted is action=%s%s",
				      action->name, cp_keys[key].name, action->name, action->usage);
		if (!allowed && c->value[key])
			return refuse(-EINVAL, "action=%s with %s; accepted is action=%s%s",
				      action->name, cp_keys[key].name, action->name, action->usage);
	}
	return 0;
}

/* One command; text is length bytes and a NUL, and is cut up. */
ssize_t cp_control(char *text, size_t length)
{
	struct command c = { };
	const struct action *action;
	unsigned int arming = 0;
	int err = cp_split(text, length, &c);

	if (err)
		return err;
	action = find_action(&c);
	if (!action)
		return refuse(-EINVAL, "action=%.40s; accepted: %s",
			      c.value[KEY_ACTION] ? c.value[KEY_ACTION] : "",
			      cp_keys[KEY_ACTION].range);
	err = check_keys(&c, action);
	if (!err)
		err = cp_parse(&c);
	if (err)
		return err;

	cp_lock();
	err = action->run(&c);
	arming = cp_trial.arming;
	cp_unlock();
	if (!err && action->run == arm && c.point->in_control)
		err = hit_direct(arming, c.cpu);
	return err;
}

static const char *state_name(void)
{
	switch (atomic_read(&cp_state)) {
	case CP_ARMED:
		return "armed";
	case CP_FIRED:
		return "fired";
	default:
		return cp_planted(NULL) ? "planted" : "idle";
	}
}

static void show_points(struct seq_file *m)
{
	unsigned int i, n;

	for (i = 0; i < cp_point_count; i++) {
		const struct cp_point *point = &cp_points[i];
		const char *missing = cp_point_missing(point);

		seq_printf(m, "  %-15s %s", point->name, point->description);
		for (n = 0; n < ARRAY_SIZE(needs); n++)
			if (point->needs & needs[n].bit)
				seq_printf(m, "; needs %s", needs[n].name);
		if (missing)
			seq_printf(m, "; unavailable: %s", missing);
		seq_putc(m, '\n');
	}
}

static void show_types(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < cp_type_count; i++) {
		const struct cp_type *type = &cp_types[i];
		const char *missing = type->missing ? type->missing() : NULL;

		seq_printf(m, "  %-15s %s", type->name, type->description);
		if (missing)
			seq_printf(m, "; unavailable: %s", missing);
		seq_putc(m, '\n');
	}
}

void cp_show_control(struct seq_file *m)
{
	unsigned int i;

	seq_printf(m, "state: %s\n", state_name());
	seq_puts(m, "\nactions, one a write:\n");
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		seq_printf(m, "  action=%s%s\n", actions[i].name, actions[i].usage);
	seq_puts(m, "\nkeys:\n");
	for (i = 0; i < KEYS; i++)
		seq_printf(m, "  %-9s %s\n", cp_keys[i].name, cp_keys[i].range);
	seq_puts(m, "\npoints:\n");
	show_points(m);
	seq_puts(m, "\ntypes:\n");
	show_types(m);
}
