// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash point at the entry of a PCI device's own interrupt handler.
 *
 * The handler runs in the hard interrupt, where a tracepoint is right before it.
 * On PREEMPT_RT, and with "threadirqs", it runs in a thread instead, and what the
 * tracepoint shows is only what wakes that: there ftrace sees its entry. Which of
 * the two is looked up at arming, for each of the device's interrupt lines.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kallsyms.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <trace/events/irq.h>

#include "command.h"
#include "points.h"

struct line {
	unsigned int irq;
	unsigned long thread;		/* address of a handler that runs in one, or 0 */
};

static struct pci_dev *armed_dev;
static struct line *lines;
static unsigned int line_count;
static unsigned int thread_count;

struct actions {
	unsigned int count;
	irq_handler_t handler;		/* of the first */
	irq_handler_t thread;
	size_t length;
	char names[96];			/* "A, B" */
};

static void add_action(struct actions *a, const struct irqaction *action)
{
	if (!a->count++) {
		a->handler = action->handler;
		a->thread = action->thread_fn;
	}
	a->length += scnprintf(a->names + a->length, sizeof(a->names) - a->length, "%s%s",
			       a->length ? ", " : "", action->name ? action->name : "?");
}

/* Who has requested a line. */
static void find_actions(unsigned int irq, struct actions *a)
{
	struct irqaction *action;
	struct irq_desc *desc;
	struct irq_data *data;
	unsigned long flags;

	rcu_read_lock();
	data = irq_get_irq_data(irq);
	if (data) {
		desc = irq_data_to_desc(data);
		raw_spin_lock_irqsave(&desc->lock, flags);
		for (action = desc->action; action; action = action->next)
			add_action(a, action);
		raw_spin_unlock_irqrestore(&desc->lock, flags);
	}
	rcu_read_unlock();
}

/* The kernel's function in place of a handler that runs in a thread is static. */
static bool only_wakes(irq_handler_t handler)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)handler);
	return !strcmp(name, "irq_default_primary_handler");
}

static int add_line(unsigned int irq)
{
	struct line *line = &lines[line_count];
	struct actions a = { };

	find_actions(irq, &a);
	if (!a.count)
		return 0;
	if (a.count > 1)
		return refuse(-EINVAL, "line %u is shared by %s; accepted is a PCI device with lines of its own",
			      irq, a.names);
	line->irq = irq;
	line->thread = a.thread && only_wakes(a.handler) ? (unsigned long)a.thread : 0;
	line_count++;
	return 0;
}

static unsigned int max_lines(struct pci_dev *dev)
{
	if (dev->msix_enabled)
		return max(pci_msix_vec_count(dev), 1);
	return dev->msi_enabled ? 32 : 1;
}

static int find_lines(struct pci_dev *dev)
{
	unsigned int i, max = max_lines(dev);
	int err = 0;

	lines = kcalloc(max, sizeof(*lines), GFP_KERNEL);
	if (!lines)
		return refuse(-ENOMEM, "no memory for the interrupt lines of %s", pci_name(dev));
	line_count = 0;
	for (i = 0; i < max && !err; i++) {
		int irq = pci_irq_vector(dev, i);

		if (irq > 0)
			err = add_line(irq);
	}
	if (!err && !line_count)
		err = refuse(-EINVAL, "PCI device %s has no interrupt handler; accepted is one whose driver is in use",
			     pci_name(dev));
	return err;
}

int cp_pci_open(unsigned int domain, unsigned int bus, unsigned int devfn)
{
	int err;

	armed_dev = pci_get_domain_bus_and_slot(domain, bus, devfn);
	if (!armed_dev)
		return refuse(-EINVAL, "there is no PCI device %04x:%02x:%02x.%x; /sys/bus/pci/devices lists them",
			      domain, bus, PCI_SLOT(devfn), PCI_FUNC(devfn));
	err = find_lines(armed_dev);
	if (err)
		cp_pci_close();
	return err;
}

void cp_pci_close(void)
{
	pci_dev_put(armed_dev);
	armed_dev = NULL;
	kfree(lines);
	lines = NULL;
}

static const struct line *find_line(unsigned int irq)
{
	unsigned int i;

	for (i = 0; i < line_count; i++)
		if (lines[i].irq == irq)
			return &lines[i];
	return NULL;
}

void cp_probe_driver_irq(void *data, int irq, struct irqaction *action)
{
	const struct line *line = find_line(irq);

	if (line && !line->thread)
		cp_hit(CP_PROBE_PREEMPT);
}

/* irqreturn_t handler(int irq, void *dev_id): drivers share it among devices. */
static void probe_thread(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			 struct ftrace_regs *fregs)
{
	const struct line *line = find_line(cp_ftrace_argument(fregs, 0));

	if (line && line->thread)
		cp_hit(CP_PROBE_PREEMPT);
}

static unsigned int find_threads(unsigned long *addresses)
{
	unsigned int i, count = 0;

	for (i = 0; i < line_count; i++)
		if (lines[i].thread)
			addresses[count++] = lines[i].thread;
	return count;
}

int cp_driver_irq_arm(void)
{
	unsigned long *addresses = kcalloc(line_count, sizeof(*addresses), GFP_KERNEL);
	int err = 0;

	if (!addresses)
		return -ENOMEM;
	thread_count = find_threads(addresses);
	if (thread_count && cp_ftrace_no_arguments())
		err = -EOPNOTSUPP;
	else if (thread_count)
		err = cp_ftrace_arm_at(addresses, thread_count, probe_thread);
	kfree(addresses);
	return err;
}

void cp_driver_irq_disarm(void)
{
	if (thread_count)
		cp_ftrace_disarm();
}

const char *cp_driver_irq_missing(void)
{
	return IS_ENABLED(CONFIG_PCI) ? NULL : "no PCI in this kernel";
}

/* The compiler alone calls it: a probe's arguments must be its tracepoint's. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_irq_handler_entry(cp_probe_driver_irq);
}
