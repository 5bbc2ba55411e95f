// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crash points on tracepoints, the kernel's own and those of modules. Modules
 * come and go: each is looked at when it comes, and held while a point on its
 * tracepoint is armed.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "points.h"

struct found {
	struct tracepoint *tracepoint;
	struct module *owner;		/* NULL: the kernel itself */
};

static DEFINE_MUTEX(found_mutex);
static struct found found[CP_MAX_POINTS];	/* by index into cp_points */
static struct found armed;
static void *armed_probe;

static void found_one(struct tracepoint *tp, void *owner)
{
	unsigned int i;

	for (i = 0; i < cp_point_count; i++)
		if (cp_points[i].tracepoint && !strcmp(cp_points[i].tracepoint, tp->name))
			found[i] = (struct found){ tp, owner };
}

static void forget_owner(const struct module *owner)
{
	unsigned int i;

	for (i = 0; i < cp_point_count; i++)
		if (found[i].owner == owner)
			found[i] = (struct found){ };
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = ((struct tp_module *)data)->mod;
	unsigned int i;

	mutex_lock(&found_mutex);
	if (event == MODULE_STATE_COMING)
		for (i = 0; i < mod->num_tracepoints; i++)
			found_one(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]), mod);
	else if (event == MODULE_STATE_GOING)
		forget_owner(mod);
	mutex_unlock(&found_mutex);
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_event,
};

/* The notifier is told of the modules that are there already, too. */
int cp_tracepoints_find(void)
{
	for_each_kernel_tracepoint(found_one, NULL);
	return register_tracepoint_module_notifier(&module_notifier);
}

void cp_tracepoints_forget(void)
{
	unregister_tracepoint_module_notifier(&module_notifier);
}

bool cp_tracepoint_found(const struct cp_point *point)
{
	bool yes;

	mutex_lock(&found_mutex);
	yes = found[point - cp_points].tracepoint;
	mutex_unlock(&found_mutex);
	return yes;
}

static int hold(const struct cp_point *point)
{
	int err = -ENOENT;

	mutex_lock(&found_mutex);
	armed = found[point - cp_points];
	if (armed.tracepoint && try_module_get(armed.owner))
		err = 0;
	mutex_unlock(&found_mutex);
	return err;
}

int cp_tracepoint_arm(const struct cp_point *point)
{
	int err = hold(point);

	if (err)
		return err;
	armed_probe = point->probe;
	err = tracepoint_probe_register(armed.tracepoint, armed_probe, NULL);
	if (err)
		module_put(armed.owner);
	return err;
}

void cp_tracepoint_disarm(void)
{
	tracepoint_probe_unregister(armed.tracepoint, armed_probe, NULL);
	tracepoint_synchronize_unregister();
	module_put(armed.owner);
}
