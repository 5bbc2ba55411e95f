// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash points: one table, and how any of them is armed and disarmed.
 *
 * A point is hit by a probe on a tracepoint, by a probe on the entry of a
 * function, or in code of our own that the kernel runs. The files points-*.c
 * hold each of these mechanisms and, by the part of the kernel, the probes.
 */
#include <linux/kernel.h>

#include "points.h"

const struct cp_point cp_points[] = {
	{
		.name = "direct",
		.description = "process context, in the write to this file",
		.may_sleep = true,
		.in_control = true,
		.arm = cp_direct_arm,
		.disarm = cp_direct_disarm,
	}, {
		.name = "irq-entry",
		.description = "hard interrupt, before it is acknowledged",
		.irqs_off = true,
		.functions = cp_irq_entry_functions,
		.probe = cp_probe_irq_entry,
	}, {
		.name = "irq-handler",
		.description = "hard interrupt, before a device's handler",
		.irqs_off = true,
		.tracepoint = "irq_handler_entry",
		.probe = cp_probe_irq_handler,
	}, {
		.name = "driver-irq",
		.description = "entry of the interrupt handler of the PCI device's driver",
		.needs = CP_NEEDS_PCI,
		.tracepoint = "irq_handler_entry",
		.probe = cp_probe_driver_irq,
		.arm = cp_driver_irq_arm,
		.disarm = cp_driver_irq_disarm,
		.missing = cp_driver_irq_missing,
	}, {
		.name = "threaded-irq",
		.description = "process context, in an interrupt's thread",
		.may_sleep = true,
		.pulsed = true,
		.pulse = cp_thread_pulse,
		.arm = cp_thread_arm,
		.disarm = cp_thread_disarm,
		.missing = cp_thread_missing,
	}, {
		.name = "nmi",
		.description = "non-maskable interrupt, of a CPU to itself",
		.irqs_off = true,
		.in_nmi = true,
		.pulsed = true,
		.pulse = cp_nmi_pulse,
		.arm = cp_nmi_arm,
		.disarm = cp_nmi_disarm,
		.missing = cp_nmi_missing,
	}, {
		.name = "softirq",
		.description = "soft interrupt, before it is served",
		.pulsed = true,
		.tracepoint = "softirq_entry",
		.probe = cp_probe_softirq,
	}, {
		.name = "tasklet-entry",
		.description = "soft interrupt, before the tasklets",
		.pulsed = true,
		.pulse = cp_nothing_pulse,
		.tracepoint = "softirq_entry",
		.probe = cp_probe_tasklet_entry,
		.disarm = cp_nothing_disarm,
	}, {
		.name = "tasklet",
		.description = "soft interrupt, in the middle of a tasklet's work",
		.pulsed = true,
		.pulse = cp_tasklet_pulse,
		.disarm = cp_tasklet_disarm,
	}, {
		.name = "timer",
		.description = "soft interrupt, expiry of a timer",
		.pulsed = true,
		.tracepoint = "timer_expire_entry",
		.probe = cp_probe_timer,
	}, {
		.name = "workqueue",
		.description = "process context, in a work item of a kernel worker",
		.may_sleep = true,
		.pulsed = true,
		.pulse = cp_work_pulse,
		.arm = cp_work_arm,
		.disarm = cp_work_disarm,
	}, {
		.name = "swapout",
		.description = "reclaim of memory, with a batch of inactive pages done",
		.tracepoint = "mm_vmscan_lru_shrink_inactive",
		.probe = cp_probe_swapout,
	}, {
		.name = "block-submit",
		.description = "submission of a bio to the device",
		.needs = CP_NEEDS_DISK,
		.tracepoint = "block_bio_queue",
		.probe = cp_probe_block_submit,
	}, {
		.name = "block-dispatch",
		.description = "dispatch of a request to the device's driver",
		.needs = CP_NEEDS_DISK,
		.tracepoint = "block_rq_issue",
		.probe = cp_probe_block_dispatch,
	}, {
		.name = "scsi-dispatch",
		.description = "dispatch of a SCSI command to the device's host adapter",
		.needs = CP_NEEDS_DISK,
		.tracepoint = "scsi_dispatch_cmd_start",
		.probe = cp_probe_scsi_dispatch,
	}, {
		.name = "ata-ioctl",
		.description = "entry of an ATA ioctl for the device",
		.needs = CP_NEEDS_DISK,
		.functions = cp_ata_functions,
		.probe = cp_probe_ata_ioctl,
		.missing = cp_ftrace_no_arguments,
	}, {
		.name = "net-xmit",
		.description = "transmission of a packet to the interface's driver",
		.needs = CP_NEEDS_INTERFACE,
		.tracepoint = "net_dev_start_xmit",
		.probe = cp_probe_net_xmit,
	}, {
		.name = "net-poll",
		.description = "soft interrupt, after a poll of the interface (NAPI)",
		.needs = CP_NEEDS_INTERFACE,
		.tracepoint = "napi_poll",
		.probe = cp_probe_net_poll,
	},
};

const unsigned int cp_point_count = ARRAY_SIZE(cp_points);
static_assert(ARRAY_SIZE(cp_points) <= CP_MAX_POINTS);

int cp_points_init(void)
{
	return cp_tracepoints_find();
}

void cp_points_exit(void)
{
	cp_tracepoints_forget();
}

/* Why the running kernel cannot offer the point, or NULL; under the control mutex. */
const char *cp_point_missing(const struct cp_point *point)
{
	static char reason[96];
	const char *missing = NULL;

	if (point->tracepoint && !cp_tracepoint_found(point)) {
		snprintf(reason, sizeof(reason), "no tracepoint %s in the kernel or a loaded module",
			 point->tracepoint);
		return reason;
	}
	if (point->functions)
		missing = cp_ftrace_missing(point->functions);
	if (!missing && point->missing)
		missing = point->missing();
	return missing;
}

static int arm_probe(const struct cp_point *point)
{
	if (point->tracepoint)
		return cp_tracepoint_arm(point);
	if (point->functions)
		return cp_ftrace_arm(point->functions, point->probe);
	return 0;
}

static void disarm_probe(const struct cp_point *point)
{
	if (point->tracepoint)
		cp_tracepoint_disarm();
	else if (point->functions)
		cp_ftrace_disarm();
}

/* After this the point may be hit at any time. */
int cp_point_arm(const struct cp_point *point)
{
	int err = arm_probe(point);

	if (err)
		return err;
	if (point->arm)
		err = point->arm();
	if (err) {
		disarm_probe(point);
		return err;
	}
	cp_pulse_start();
	return 0;
}

/* After this no hit is under way, other than one that fired and never returned. */
void cp_point_disarm(const struct cp_point *point)
{
	cp_pulse_stop();
	if (point->disarm)
		point->disarm();
	disarm_probe(point);
}
