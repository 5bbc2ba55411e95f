// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is planted in memory for one nonce: the armed and the fired record, and
 * canaries in every kind of memory a dump can lose. crashpoint.h has the
 * layouts; the listing says where each one lies.
 *
 * Called under the control mutex, apart from cp_fired_record().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/unaligned_compat.h>

#include "crashpoint.h"
