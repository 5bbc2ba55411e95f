// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash point in an NMI. Nothing sends any on an idle machine, so the pulse
 * does, to its own CPU. The handler answers for those alone: others are still
 * "received for unknown reason", or are somebody else's.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "points.h"

#ifdef CONFIG_X86_LOCAL_APIC

#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/irq_vectors.h>
#include <asm/nmi.h>

#define NMI_NAME	"crashpoint"

static DEFINE_PER_CPU(bool, sent);

static int handle_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!this_cpu_read(sent))
		return NMI_DONE;
	this_cpu_write(sent, false);
	cp_hit(0);
	return NMI_HANDLED;
}

int cp_nmi_arm(void)
{
	return register_nmi_handler(NMI_LOCAL, handle_nmi, 0, NMI_NAME);
}

void cp_nmi_pulse(void)
{
	this_cpu_write(sent, true);
	apic->send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
}

/* The last one may still be on its way; without its handler it would be unknown. */
void cp_nmi_disarm(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < 20 && per_cpu(sent, cpu); i++)
			msleep(1);
	unregister_nmi_handler(NMI_LOCAL, NMI_NAME);
}

const char *cp_nmi_missing(void)
{
	return boot_cpu_has(X86_FEATURE_APIC) ? NULL : "no local APIC";
}

#else

int cp_nmi_arm(void)
{
	return -EOPNOTSUPP;
}

void cp_nmi_pulse(void)
{
}

void cp_nmi_disarm(void)
{
}

const char *cp_nmi_missing(void)
{
	return "no NMI that a CPU can send to itself on this architecture";
}

#endif
