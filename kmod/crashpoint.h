/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of crashpoint.ko share: the states, the armed trial, and the
 * layout of what is planted in memory for the verifier of the dump to find.
 *
 * The way of one trial: plant (canary.c) -> arm (control.c, points.c) ->
 * hit (fire.c) -> crash (types.c). Nothing crashes unless it was armed, and an
 * arming fires at most once.
 *
 * Canary content. n0 and n1 are the first and the last 8 of the 16 nonce bytes,
 * read as little-endian u64; arithmetic is modulo 2^64:
 *
 *	G       = 0x9E3779B97F4A7C15
 *	seed(c) = n0 ^ rotl64(n1, 32) ^ (c * G)          c: index of the canary
 *	word j  = mix(seed(c) + (j + 1) * G)             j: 0, 1, ... stored as le64
 *	mix(z)  : z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
 *	          z = (z ^ (z >> 27)) * 0x94D049BB133111EB
 *	          z ^ (z >> 31)                          (splitmix64)
 *
 * Records are one page each. A whole page of canary content (index 0xA0 for
 * armed, 0xF0 for fired) lies under the header. All integers are little-endian.
 *
 *	armed  offset size
 *	            0    8  "DSARMED1"
 *	            8   16  nonce
 *	           24    -  canary content
 *
 *	fired  offset size
 *	            0    8  "DSUNFIRD", from the trigger on "DSFIRED1"
 *	            8   16  nonce
 *	           24   24  point, padded with NUL	\
 *	           48   24  type, padded with NUL	 |
 *	           72    4  flags, see below		 | until the trigger these
 *	           76    4  preemption count		 | bytes are canary content
 *	           80    4  CPU, signed			 |
 *	           84    4  requests in flight, signed	 |
 *	           88    8  monotonic time in ns	/
 *	           96    -  canary content
 *
 * Flags and preemption count are those of the crash point itself: a tracepoint
 * raises the preemption count by one around its probes, ftrace too, and that one
 * is taken off. Requests in flight is -1 where no device was named or it cannot
 * count.
 *
 *	bit	flags of the fired record
 *	0-3	CP_IN_*, CP_IRQS_OFF: where the point was hit
 *	4-7	enum cp_task: whose task was running, or was interrupted, there
 *	8-12	CP_CRASH_*: the conditions at the crash itself. They come after the
 *		magic, when the type has set them up: without CP_CRASH_KNOWN they
 *		say nothing, and nothing else of the record changes.
 */
#ifndef CRASHPOINT_H
#define CRASHPOINT_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct block_device;
struct seq_file;

#define CP_NONCE_BYTES	16
#define CP_NAME_BYTES	24
#define CP_DIRECT_SECONDS	10	/* how long `direct` waits for its conditions */

#define CP_INDEX_ARMED	0xA0
#define CP_INDEX_FIRED	0xF0

#define CP_IN_NMI	(1U << 0)
#define CP_IN_HARDIRQ	(1U << 1)
#define CP_IN_SOFTIRQ	(1U << 2)	/* serving one, not only disabled */
#define CP_IRQS_OFF	(1U << 3)
#define CP_TASK_SHIFT	4
#define CP_CRASH_KNOWN		(1U << 8)
#define CP_CRASH_IRQS_OFF	(1U << 9)
#define CP_CRASH_PREEMPT_OFF	(1U << 10)
#define CP_CRASH_LOCK_HELD	(1U << 11)
#define CP_CRASH_CONSOLE_HELD	(1U << 12)	/* here alone: nothing can be printed then */

enum cp_task {
	CP_TASK_UNKNOWN,
	CP_TASK_USER,
	CP_TASK_KTHREAD,	/* none of those below */
	CP_TASK_KWORKER,
	CP_TASK_IRQ_THREAD,
	CP_TASK_KSOFTIRQD,	/* on PREEMPT_RT also ktimers */
	CP_TASK_IDLE,
};

struct cp_armed_record {
	char	magic[8];
	u8	nonce[CP_NONCE_BYTES];
};

struct cp_fired_record {
	__le64	magic;			/* one word: it is stored last, at once */
	u8	nonce[CP_NONCE_BYTES];
	char	point[CP_NAME_BYTES];
	char	type[CP_NAME_BYTES];
	__le32	flags;
	__le32	preempt_count;
	__le32	cpu;
	__le32	inflight;
	__le64	time_ns;
};
static_assert(sizeof(struct cp_armed_record) == 24);
static_assert(sizeof(struct cp_fired_record) == 96);

/* Idle and planted differ in cp_planted() alone. */
enum cp_state {
	CP_DISARMED,
	CP_ARMED,
	CP_FIRED,
};

/* What the arming of a point must name; only hits by it count. */
#define CP_NEEDS_DISK		(1U << 0)
#define CP_NEEDS_INTERFACE	(1U << 1)
#define CP_NEEDS_PCI		(1U << 2)

struct cp_point {
	const char *name;
	const char *description;
	unsigned int needs;		/* CP_NEEDS_* */
	bool may_sleep;			/* also with the way here: no probe between */
	bool in_control;		/* hit by the writer of the control file */
	bool in_nmi;
	bool irqs_off;			/* always */
	bool pulsed;			/* the pulse makes an idle machine hit it */
	void (*pulse)(void);		/* what the pulse has to do for that, if anything */
	const char *tracepoint;		/* hit by the probe on this tracepoint, */
	const char *const *functions;	/* or on the entry of one of these, */
	void *probe;
	int (*arm)(void);		/* or by what this sets up */
	void (*disarm)(void);
	const char *(*missing)(void);	/* why this kernel cannot offer it, or NULL */
};

struct cp_type {
	const char *name;
	const char *description;
	void (*crash)(void);		/* calls cp_at_crash() before the fatal act */
	bool needs_irqs;		/* only hits with interrupts on fire */
	const char *expected;		/* printed when the crash was survived */
	bool hangs;			/* its CPU or its task never comes back */
	bool sleeps;			/* only where the crash point may sleep */
	bool not_in_nmi;
	const char *(*missing)(void);	/* why this kernel cannot offer it, or NULL */
};

/*
 * The armed trial. Written under the control mutex while the state is
 * CP_DISARMED, read without a lock at the crash point while it is CP_ARMED.
 */
struct cp_trial {
	u8 nonce[CP_NONCE_BYTES];
	const struct cp_point *point;
	const struct cp_type *type;
	dev_t disk;			/* whole disk, 0: none */
	int ifindex;			/* of the interface in init_net, 0: none */
	int cpu;			/* fire on this CPU only, -1: on any */
	unsigned int inflight;		/* fire only with at least so many */
	atomic_t skip;			/* qualifying hits still to be ignored */
	unsigned int arming;		/* tells one arming from the next */
	bool survived;			/* and the log says so */
};

extern struct cp_trial cp_trial;
extern atomic_t cp_state;

/* fire.c */
bool cp_hit(unsigned int own_preempt);
void cp_at_crash(bool lock_held);
void cp_add_fired_flags(u32 flags);
void cp_survived(void);

/* points.c */
extern const struct cp_point cp_points[];
extern const unsigned int cp_point_count;
int cp_points_init(void);
void cp_points_exit(void);
int cp_point_arm(const struct cp_point *point);
void cp_point_disarm(const struct cp_point *point);
const char *cp_point_missing(const struct cp_point *point);
int cp_direct_wait(int cpu);
int cp_interface_index(const char *name);
int cp_pci_open(unsigned int domain, unsigned int bus, unsigned int devfn);
void cp_pci_close(void);

/* types.c */
extern const struct cp_type cp_types[];
extern const unsigned int cp_type_count;

/* canary.c */
int cp_plant(const u8 *nonce);
void cp_unplant(void);
bool cp_planted(const u8 *nonce);
bool cp_has_fired(void);
struct cp_fired_record *cp_fired_record(void);
void cp_show_listing(struct seq_file *m);

/* inflight.c */
int cp_device_open(dev_t dev);
void cp_device_close(void);
dev_t cp_device_disk(void);
int cp_inflight(void);
void cp_inflight_sample(void);

/* control.c */
ssize_t cp_control(char *text, size_t length);
void cp_show_control(struct seq_file *m);
void cp_lock(void);
void cp_unlock(void);

#endif
