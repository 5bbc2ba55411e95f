/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One command to the control file: its text is cut up and judged by itself in
 * parse.c, against the running kernel in check.c, and done in control.c.
 */
#ifndef CRASHPOINT_COMMAND_H
#define CRASHPOINT_COMMAND_H

#include <linux/printk.h>
#include <linux/types.h>

#include "crashpoint.h"

/* The one line in the log that every refused command gets; gives err. */
#define refuse(err, fmt, ...) ({				\
	pr_warn("refused: " fmt "\n", ##__VA_ARGS__);		\
	(err);							\
})

enum cp_key {
	KEY_ACTION,
	KEY_NONCE,
	KEY_POINT,
	KEY_TYPE,
	KEY_DEVICE,
	KEY_INTERFACE,
	KEY_PCI,
	KEY_INFLIGHT,
	KEY_SKIP,
	KEY_CPU,
	KEYS
};

struct cp_key_text {
	const char *name;
	const char *range;
};

struct command {
	const char *value[KEYS];	/* as it was written; NULL: not given */
	u8 nonce[CP_NONCE_BYTES];
	const struct cp_point *point;
	const struct cp_type *type;
	dev_t device;
	struct {
		unsigned int domain;
		unsigned int bus;
		unsigned int devfn;
	} pci;
	unsigned int inflight;
	unsigned int skip;
	int cpu;			/* -1: any */
};

/* parse.c */
extern const struct cp_key_text cp_keys[KEYS];
int cp_split(char *text, size_t length, struct command *c);
int cp_parse(struct command *c);

/* check.c */
int cp_check_arm(const struct command *c);
int cp_open_targets(const struct command *c);
void cp_close_targets(void);
void cp_show_point(struct seq_file *m, const struct cp_point *point);
void cp_show_type(struct seq_file *m, const struct cp_type *type);

#endif
