// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the control file: parse, check, plant, arm, disarm.
 *
 * A command is words "key=value" between blanks. It is checked whole before
 * anything is done: a refused command changes nothing, and one line in the log
 * says why and what is accepted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "crashpoint.h"

#define MAX_INFLIGHT	1024
#define MAX_SKIP	1000000
#define MAX_MAJOR	((1U << (32 - MINORBITS)) - 1)
#define MAX_MINOR	((1U << MINORBITS) - 1)
#define DIRECT_SECONDS	10

#define refuse(err, fmt, ...) ({				\
	pr_warn("refused: " fmt "\n", ##__VA_ARGS__);		\
	(err);							\
})

static DEFINE_MUTEX(control_mutex);

void cp_lock(void)
{
	mutex_lock(&control_mutex);
}

void cp_unlock(void)
{
	mutex_unlock(&control_mutex);
}

enum control_key {
	KEY_ACTION,
	KEY_NONCE,
	KEY_POINT,
	KEY_TYPE,
	KEY_DEVICE,
	KEY_INFLIGHT,
	KEY_SKIP,
	KEYS
};

static const struct {
	const char *name;
	const char *range;
} keys[KEYS] = {
	[KEY_ACTION]	= { "action",	"plant, arm, disarm" },
	[KEY_NONCE]	= { "nonce",	"32 lower-case hex digits" },
	[KEY_POINT]	= { "point",	"a name listed under points" },
	[KEY_TYPE]	= { "type",	"a name listed under types" },
	[KEY_DEVICE]	= { "device",	"MAJOR:MINOR of a block device" },
	[KEY_INFLIGHT]	= { "inflight",	"0 to " __stringify(MAX_INFLIGHT) " requests" },
	[KEY_SKIP]	= { "skip",	"0 to " __stringify(MAX_SKIP) " hits" },
};

struct command {
	const char *value[KEYS];
	u8 nonce[CP_NONCE_BYTES];
	const struct cp_point *point;
	const struct cp_type *type;
	dev_t device;
	unsigned int inflight;
	unsigned int skip;
};

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
		.usage = " nonce=N point=NAME type=NAME [device=MAJOR:MINOR] [inflight=N] [skip=N]",
		.required = BIT(KEY_NONCE) | BIT(KEY_POINT) | BIT(KEY_TYPE),
		.optional = BIT(KEY_DEVICE) | BIT(KEY_INFLIGHT) | BIT(KEY_SKIP),
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
	cp_trial.point->disarm(cp_trial.point);
	cp_device_close();
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
 * usable, and another writer may disarm.
 */
static int hit_direct(unsigned int arming)
{
	unsigned long end = jiffies + DIRECT_SECONDS * HZ;
	ktime_t pause = ms_to_ktime(1);
	int err = -ETIME;

	do {
		if (cp_hit(0))
			return 0;
		if (signal_pending(current)) {
			err = -EINTR;
			break;
		}
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_hrtimeout_range(&pause, 100 * NSEC_PER_USEC, HRTIMER_MODE_REL);
	} while (time_before(jiffies, end) && atomic_read(&cp_state) == CP_ARMED);
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
	else
		pr_warn("not fired: interrupted while waiting; disarmed\n");
	stand_down();
	cp_unlock();
	return err;
}

static int check_arm(const struct command *c)
{
	const char *missing = cp_point_missing(c->point);
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
	if (missing)
		return refuse(-EINVAL, "point %s: this kernel has no tracepoint %s",
			      c->point->name, missing);
	if (!c->value[KEY_DEVICE]) {
		if (c->point->needs_device)
			return refuse(-EINVAL, "point %s needs device=MAJOR:MINOR", c->point->name);
		if (c->inflight)
			return refuse(-EINVAL, "inflight=%u needs device=MAJOR:MINOR", c->inflight);
		return 0;
	}
	err = cp_device_open(c->device);
	if (err)
		return refuse(-EINVAL, "device %s cannot be opened (%d); accepted is a block device's MAJOR:MINOR",
			      c->value[KEY_DEVICE], err);
	if (c->inflight && cp_inflight() < 0) {
		cp_device_close();
		return refuse(-EINVAL, "device %s does not count its requests; accepted is inflight=0",
			      c->value[KEY_DEVICE]);
	}
	return 0;
}

static int arm(const struct command *c)
{
	int err = check_arm(c);

	if (err)
		return err;
	if (!try_module_get(THIS_MODULE)) {
		cp_device_close();
		return refuse(-EBUSY, "the module is being unloaded");
	}
	memcpy(cp_trial.nonce, c->nonce, sizeof(cp_trial.nonce));
	cp_trial.point = c->point;
	cp_trial.type = c->type;
	cp_trial.disk = c->value[KEY_DEVICE] ? cp_device_disk() : 0;
	cp_trial.inflight = c->inflight;
	atomic_set(&cp_trial.skip, c->skip);
	cp_trial.survived = false;
	cp_trial.arming++;
	/* The trial before the state: hits read them the other way round. */
	atomic_set_release(&cp_state, CP_ARMED);
	err = c->point->arm(c->point);
	if (err) {
		atomic_set(&cp_state, CP_DISARMED);
		cp_device_close();
		module_put(THIS_MODULE);
		return refuse(err, "point %s: its tracepoint took no probe (%d)",
			      c->point->name, err);
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

static int parse_nonce(struct command *c)
{
	const char *text = c->value[KEY_NONCE];
	size_t length = strlen(text);

	if (length != 2 * CP_NONCE_BYTES || strspn(text, "0123456789abcdef") != length)
		return refuse(-EINVAL, "nonce=%.40s; accepted are %s", text, keys[KEY_NONCE].range);
	return hex2bin(c->nonce, text, CP_NONCE_BYTES);
}

/* Decimal digits only: kstrtouint() would take signs too. */
static bool parse_number(const char *text, unsigned int max, unsigned int *number)
{
	return isdigit(*text) && !kstrtouint(text, 10, number) && *number <= max;
}

static int parse_count(const struct command *c, enum control_key key, unsigned int max,
		       unsigned int *number)
{
	if (!c->value[key] || parse_number(c->value[key], max, number))
		return 0;
	return refuse(-EINVAL, "%s=%.40s; accepted are %s", keys[key].name, c->value[key],
		      keys[key].range);
}

static int parse_device(struct command *c)
{
	char major_text[8];
	unsigned int major, minor;
	const char *text = c->value[KEY_DEVICE];
	const char *colon;

	if (!text)
		return 0;
	colon = strchr(text, ':');
	if (colon && colon - text < sizeof(major_text)) {
		memcpy(major_text, text, colon - text);
		major_text[colon - text] = 0;
		if (parse_number(major_text, MAX_MAJOR, &major) &&
		    parse_number(colon + 1, MAX_MINOR, &minor)) {
			c->device = MKDEV(major, minor);
			return 0;
		}
	}
	return refuse(-EINVAL, "device=%.40s; accepted is %s, 0:0 to %u:%u", text,
		      keys[KEY_DEVICE].range, MAX_MAJOR, MAX_MINOR);
}

static int parse_point(struct command *c)
{
	unsigned int i;

	for (i = 0; i < cp_point_count; i++) {
		if (!strcmp(c->value[KEY_POINT], cp_points[i].name)) {
			c->point = &cp_points[i];
			return 0;
		}
	}
	return refuse(-EINVAL, "point=%.40s is unknown; reading control lists the points",
		      c->value[KEY_POINT]);
}

static int parse_type(struct command *c)
{
	unsigned int i;

	for (i = 0; i < cp_type_count; i++) {
		if (!strcmp(c->value[KEY_TYPE], cp_types[i].name)) {
			c->type = &cp_types[i];
			return 0;
		}
	}
	return refuse(-EINVAL, "type=%.40s is unknown; reading control lists the types",
		      c->value[KEY_TYPE]);
}

static int parse_values(struct command *c)
{
	int err = 0;

	if (c->value[KEY_NONCE])
		err = parse_nonce(c);
	if (!err && c->value[KEY_POINT])
		err = parse_point(c);
	if (!err && c->value[KEY_TYPE])
		err = parse_type(c);
	if (!err)
		err = parse_device(c);
	if (!err)
		err = parse_count(c, KEY_INFLIGHT, MAX_INFLIGHT, &c->inflight);
	if (!err)
		err = parse_count(c, KEY_SKIP, MAX_SKIP, &c->skip);
	return err;
}

static int split(char *text, struct command *c)
{
	char *word;

	while ((word = strsep(&text, " \t\n"))) {
		char *value = strchr(word, '=');
		unsigned int key;

		if (!*word)
			continue;
		if (!value)
			return refuse(-EINVAL, "word \"%.40s\"; accepted are words key=value", word);
		*value++ = 0;
		for (key = 0; key < KEYS; key++)
			if (!strcmp(word, keys[key].name))
				break;
		if (key == KEYS)
			return refuse(-EINVAL, "key \"%.40s\" is unknown; reading control lists the keys",
				      word);
		if (c->value[key])
			return refuse(-EINVAL, "key %s is given twice; accepted is once", word);
		c->value[key] = value;
	}
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
				      action->name, keys[key].name, action->name, action->usage);
		if (!allowed && c->value[key])
			return refuse(-EINVAL, "action=%s with %s; accepted is action=%s%s",
				      action->name, keys[key].name, action->name, action->usage);
	}
	return 0;
}

static bool is_text(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (!(text[i] >= ' ' && text[i] <= '~') && text[i] != '\t' && text[i] != '\n')
			return false;
	return true;
}

/* One command; text is length bytes and a NUL, and is cut up. */
ssize_t cp_control(char *text, size_t length)
{
	struct command c = { };
	const struct action *action;
	unsigned int arming = 0;
	int err;

	if (!is_text(text, length))
		return refuse(-EINVAL, "a byte that is not printable; accepted are ASCII words key=value");
	err = split(text, &c);
	if (err)
		return err;
	action = find_action(&c);
	if (!action)
		return refuse(-EINVAL, "action=%.40s; accepted are %s",
			      c.value[KEY_ACTION] ? c.value[KEY_ACTION] : "", keys[KEY_ACTION].range);
	err = check_keys(&c, action);
	if (!err)
		err = parse_values(&c);
	if (err)
		return err;

	cp_lock();
	err = action->run(&c);
	arming = cp_trial.arming;
	cp_unlock();
	if (!err && action->run == arm && c.point->in_control)
		err = hit_direct(arming);
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
		seq_printf(m, "  %-9s %s\n", keys[i].name, keys[i].range);
	seq_puts(m, "\npoints:\n");
	for (i = 0; i < cp_point_count; i++) {
		const char *missing = cp_point_missing(&cp_points[i]);

		seq_printf(m, "  %-15s %s%s", cp_points[i].name, cp_points[i].description,
			   cp_points[i].needs_device ? "; needs device" : "");
		if (missing)
			seq_printf(m, "; unavailable: this kernel has no tracepoint %s", missing);
		seq_putc(m, '\n');
	}
	seq_puts(m, "\ntypes:\n");
	for (i = 0; i < cp_type_count; i++)
		seq_printf(m, "  %-15s %s\n", cp_types[i].name, cp_types[i].description);
}
