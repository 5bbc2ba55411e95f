// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crash points on the entry of functions, by ftrace. A kprobe there would do as
 * well but for its int3, whose handler runs as if in an NMI: not the context
 * under test. A kprobe that ftrace carries has no int3, but ftrace carries only
 * what it can, and whether it did is known only once the probe is there.
 *
 * Callbacks are registered with protection against recursion, which turns
 * preemption off around them. ftrace does the same for any callback on a
 * function that others trace too: so it is always one, and cp_hit() can take
 * it off.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

#include "points.h"

#if defined(CONFIG_FUNCTION_TRACER) && defined(CONFIG_DYNAMIC_FTRACE)

/* New for each arming: ftrace leaves its marks in used ones. */
static struct ftrace_ops *armed_ops;

static struct ftrace_ops *new_ops(cp_entry_probe *probe)
{
	struct ftrace_ops *ops = kzalloc(sizeof(*ops), GFP_KERNEL);

	if (!ops)
		return NULL;
	ops->func = probe;
	/* PERMANENT: not where ftrace is switched off, and it stays on meanwhile. */
	ops->flags = FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_PERMANENT;
	return ops;
}

static void free_ops(struct ftrace_ops *ops)
{
	ftrace_free_filter(ops);
	kfree(ops);
}

/* How many of the functions there are; without any the filter lets all pass. */
static unsigned int add_functions(struct ftrace_ops *ops, const char *const *functions)
{
	unsigned int count = 0;
	char name[64];

	for (; *functions; functions++) {
		ssize_t length = strscpy(name, *functions, sizeof(name));

		if (length > 0 && !ftrace_set_filter(ops, name, length, 0))
			count++;
	}
	return count;
}

static int arm_ops(struct ftrace_ops *ops)
{
	int err = register_ftrace_function(ops);

	if (err)
		free_ops(ops);
	else
		armed_ops = ops;
	return err;
}

int cp_ftrace_arm(const char *const *functions, cp_entry_probe *probe)
{
	struct ftrace_ops *ops = new_ops(probe);

	if (!ops)
		return -ENOMEM;
	if (!add_functions(ops, functions)) {
		free_ops(ops);
		return -ENOENT;
	}
	return arm_ops(ops);
}

int cp_ftrace_arm_at(const unsigned long *addresses, unsigned int count, cp_entry_probe *probe)
{
	struct ftrace_ops *ops = new_ops(probe);
	unsigned int i;
	int err = count ? 0 : -ENOENT;

	if (!ops)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++)
		err = ftrace_set_filter_ip(ops, addresses[i], 0, 0);
	if (err) {
		free_ops(ops);
		return err;
	}
	return arm_ops(ops);
}

/* Returns when no CPU is in the probe any more. */
void cp_ftrace_disarm(void)
{
	/* It fails only where ftrace has broken down, and may still use them. */
	if (!unregister_ftrace_function(armed_ops))
		free_ops(armed_ops);
	armed_ops = NULL;
}

/* Why none of the functions can be traced, or NULL; under the control mutex. */
const char *cp_ftrace_missing(const char *const *functions)
{
	static char reason[96];
	struct ftrace_ops *ops = new_ops(NULL);
	bool found;

	if (!ops)
		return "no memory";
	found = add_functions(ops, functions);
	free_ops(ops);
	if (found)
		return NULL;
	snprintf(reason, sizeof(reason), "no function %s to trace; is its module loaded?",
		 functions[0]);
	return reason;
}

#else

int cp_ftrace_arm(const char *const *functions, cp_entry_probe *probe)
{
	return -EOPNOTSUPP;
}

int cp_ftrace_arm_at(const unsigned long *addresses, unsigned int count, cp_entry_probe *probe)
{
	return -EOPNOTSUPP;
}

void cp_ftrace_disarm(void)
{
}

const char *cp_ftrace_missing(const char *const *functions)
{
	return "no ftrace in this kernel";
}

#endif

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
/* The nth argument of the function entered, from 0. */
unsigned long cp_ftrace_argument(struct ftrace_regs *fregs, unsigned int n)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return ftrace_regs_get_argument(fregs, n);
#else
	return regs_get_kernel_argument(&fregs->regs, n);
#endif
}

const char *cp_ftrace_no_arguments(void)
{
	return NULL;
}
#else
unsigned long cp_ftrace_argument(struct ftrace_regs *fregs, unsigned int n)
{
	return 0;
}

const char *cp_ftrace_no_arguments(void)
{
	return "ftrace gives no arguments in this kernel";
}
#endif
