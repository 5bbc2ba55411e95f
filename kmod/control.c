// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the control file: plant, arm, disarm.
 *
 * A command is words "key=value" between blanks. It is checked whole before
 * anything is done: a refused command changes nothing, and one line in the log
 * says why and what is accepted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "command.h"

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

/* Undoes an arming, fired or not. The state is CP_DISARMED or CP_FIRED. */
static void stand_down(void)
{
	cp_point_disarm(cp_trial.point);
	cp_close_targets();
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

static int hit_direct(unsigned int arming, int cpu)
{
	int err = cp_direct_wait(cpu);

	if (!err)
		return 0;
	cp_lock();
	if (cp_trial.arming != arming ||
	    atomic_cmpxchg(&cp_state, CP_ARMED, CP_DISARMED) != CP_ARMED) {
		cp_unlock();
		return refuse(-ECANCELED, "disarmed by another writer while waiting");
	}
	if (err == -ETIME)
		pr_warn("not fired: %d requests in flight after %d s, inflight=%u skip=%d left; disarmed\n",
			cp_inflight(), CP_DIRECT_SECONDS, cp_trial.inflight,
			atomic_read(&cp_trial.skip));
	else if (err == -EINTR)
		pr_warn("not fired: interrupted while waiting; disarmed\n");
	else
		pr_warn("not fired: the writer cannot move to CPU %d (%d); disarmed\n", cpu, err);
	stand_down();
	cp_unlock();
	return err;
}

static int check_state(const struct command *c)
{
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
	return 0;
}

static int arm(const struct command *c)
{
	int err = check_state(c);

	if (!err)
		err = cp_check_arm(c);
	if (!err)
		err = cp_open_targets(c);
	if (err)
		return err;
	if (!try_module_get(THIS_MODULE)) {
		cp_close_targets();
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
		cp_close_targets();
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
		/* It is still inside the point, and waiting for it is endless. */
		if (cp_trial.type->hangs)
			return refuse(-EBUSY, "type %s never comes back and cannot be disarmed",
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
	for (i = 0; i < cp_point_count; i++)
		cp_show_point(m, &cp_points[i]);
	seq_puts(m, "\ntypes:\n");
	for (i = 0; i < cp_type_count; i++)
		cp_show_type(m, &cp_types[i]);
}
