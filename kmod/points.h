/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the crash points share: the mechanisms behind points.c, and
 * the probes and set-ups that its table names.
 */
#ifndef CRASHPOINT_POINTS_H
#define CRASHPOINT_POINTS_H

#include <linux/kconfig.h>
#include <linux/types.h>

#include "crashpoint.h"

/*
 * own_preempt of cp_hit() in a probe: tracepoints turn preemption off around
 * theirs, and so does ftrace around one that it protects against recursion.
 */
#define CP_PROBE_PREEMPT	(IS_ENABLED(CONFIG_PREEMPT_COUNT) ? 1 : 0)

#define CP_MAX_POINTS		24

struct ftrace_ops;
struct ftrace_regs;

/* points-tracepoint.c */
int cp_tracepoints_find(void);
void cp_tracepoints_forget(void);
bool cp_tracepoint_found(const struct cp_point *point);
int cp_tracepoint_arm(const struct cp_point *point);
void cp_tracepoint_disarm(void);

/* points-ftrace.c */
typedef void cp_entry_probe(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs);

const char *cp_ftrace_missing(const char *const *functions);
const char *cp_ftrace_no_arguments(void);
int cp_ftrace_arm(const char *const *functions, cp_entry_probe *probe);
int cp_ftrace_arm_at(const unsigned long *addresses, unsigned int count, cp_entry_probe *probe);
void cp_ftrace_disarm(void);
unsigned long cp_ftrace_argument(struct ftrace_regs *fregs, unsigned int n);

/* points-pulse.c */
void cp_pulse_start(void);
void cp_pulse_stop(void);

/* points-direct.c */
int cp_direct_arm(void);
void cp_direct_disarm(void);

/* points-own.c */
void cp_tasklet_pulse(void);
void cp_tasklet_disarm(void);
void cp_nothing_pulse(void);
void cp_nothing_disarm(void);
int cp_work_arm(void);
void cp_work_pulse(void);
void cp_work_disarm(void);
int cp_thread_arm(void);
void cp_thread_pulse(void);
void cp_thread_disarm(void);
const char *cp_thread_missing(void);

/* points-nmi.c */
int cp_nmi_arm(void);
void cp_nmi_pulse(void);
void cp_nmi_disarm(void);
const char *cp_nmi_missing(void);

/* Probes: of tracepoints with their arguments, of functions as cp_entry_probe. */
struct bio;
struct irqaction;
struct napi_struct;
struct net_device;
struct reclaim_stat;
struct request;
struct scsi_cmnd;
struct sk_buff;
struct timer_list;

/* points-irq.c */
extern const char *const cp_irq_entry_functions[];
cp_entry_probe cp_probe_irq_entry;
void cp_probe_irq_handler(void *data, int irq, struct irqaction *action);
void cp_probe_softirq(void *data, unsigned int vector);
void cp_probe_tasklet_entry(void *data, unsigned int vector);
void cp_probe_timer(void *data, struct timer_list *timer, unsigned long baseclk);

/* points-pci.c */
void cp_probe_driver_irq(void *data, int irq, struct irqaction *action);
int cp_driver_irq_arm(void);
void cp_driver_irq_disarm(void);
const char *cp_driver_irq_missing(void);

/* points-block.c */
extern const char *const cp_ata_functions[];
cp_entry_probe cp_probe_ata_ioctl;
void cp_probe_block_submit(void *data, struct bio *bio);
void cp_probe_block_dispatch(void *data, struct request *rq);
void cp_probe_scsi_dispatch(void *data, struct scsi_cmnd *cmd);
void cp_probe_swapout(void *data, int nid, unsigned long nr_scanned, unsigned long nr_reclaimed,
		      struct reclaim_stat *stat, int priority, int file);

/* points-net.c */
void cp_probe_net_xmit(void *data, const struct sk_buff *skb, const struct net_device *dev);
void cp_probe_net_poll(void *data, struct napi_struct *napi, int work, int budget);

#endif
