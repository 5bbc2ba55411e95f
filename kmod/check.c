// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an arming asks of the running kernel: points and types that it offers,
 * pairs of them that make sense, and the devices that the hits are about.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>

#include "command.h"

/* Why the running kernel cannot offer the type, or NULL. */
static const char *type_missing(const struct cp_type *type)
{
	return type->missing ? type->missing() : NULL;
}

/* Pairs that would crash elsewhere than at the point, or not as the type says. */
static int check_pair(const struct cp_point *point, const struct cp_type *type)
{
	const char *missing_point = cp_point_missing(point);
	const char *missing_type = type_missing(type);

	if (missing_point)
		return refuse(-EINVAL, "point %s is unavailable: %s", point->name, missing_point);
	if (missing_type)
		return refuse(-EINVAL, "type %s is unavailable: %s", type->name, missing_type);
	if (type->sleeps && !point->may_sleep)
		return refuse(-EINVAL, "type %s sleeps, and point %s may not; accepted are direct, workqueue, threaded-irq",
			      type->name, point->name);
	if (type->needs_irqs && point->irqs_off)
		return refuse(-EINVAL, "type %s needs interrupts on, and point %s has them off; accepted is another point",
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

/* A refusal leaves nothing behind. */
int cp_check_arm(const struct command *c)
{
	int err = check_pair(c->point, c->type);

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
int cp_open_targets(const struct command *c)
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
		cp_close_targets();
	return err;
}

void cp_close_targets(void)
{
	cp_device_close();
	cp_pci_close();
}

static void show_missing(struct seq_file *m, const char *missing)
{
	if (missing)
		seq_printf(m, "; unavailable: %s", missing);
	seq_putc(m, '\n');
}

void cp_show_point(struct seq_file *m, const struct cp_point *point)
{
	unsigned int i;

	seq_printf(m, "  %-15s %s", point->name, point->description);
	for (i = 0; i < ARRAY_SIZE(needs); i++)
		if (point->needs & needs[i].bit)
			seq_printf(m, "; needs %s", needs[i].name);
	show_missing(m, cp_point_missing(point));
}

void cp_show_type(struct seq_file *m, const struct cp_type *type)
{
	seq_printf(m, "  %-15s %s", type->name, type->description);
	show_missing(m, type_missing(type));
}
