// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out of memory: takes pages until the OOM killer comes, then gives all back.
 * With vm.panic_on_oom it does not come back from there.
 */
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "crashpoint.h"
#include "types.h"

static DEFINE_SPINLOCK(taken_lock);
static LIST_HEAD(taken);
static bool oom_came;

static unsigned long give_back(void)
{
	unsigned long count = 0;
	struct page *page, *next;
	LIST_HEAD(pages);

	spin_lock(&taken_lock);
	list_splice_init(&taken, &pages);
	spin_unlock(&taken_lock);
	list_for_each_entry_safe(page, next, &pages, lru) {
		__free_page(page);
		count++;
	}
	return count;
}

/*
 * Called before the OOM killer panics or chooses a process, and last of all: if
 * somebody else, a balloon driver for one, could free memory, it does neither.
 * The first time it shall do what it does. If it comes back from that, no second
 * process need die, nor the first be waited for: it may wait for this task.
 */
static int note_oom(struct notifier_block *nb, unsigned long unused, void *data)
{
	unsigned long *freed = data;

	if (*freed)
		return NOTIFY_OK;
	if (READ_ONCE(oom_came))
		*freed += give_back();
	WRITE_ONCE(oom_came, true);
	return NOTIFY_OK;
}

static struct notifier_block oom_block = {
	.notifier_call = note_oom,
	.priority = INT_MIN,
};

/*
 * The OOM killer counts the memory of processes, and these pages are nobody's:
 * it would kill the innocent. So this task, where it is a process, asks to be
 * taken first; for a kernel thread one other process dies.
 *
 * An allocation fails, instead of bringing the OOM killer, where the crash point
 * lies in reclaim, or where this task has been killed.
 */
void cp_crash_oom(void)
{
	struct page *page;

	WRITE_ONCE(oom_came, false);
	if (register_oom_notifier(&oom_block))
		return;
	set_current_oom_origin();
	cp_at_crash(false);
	while (!READ_ONCE(oom_came) && !fatal_signal_pending(current)) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			break;
		spin_lock(&taken_lock);
		list_add(&page->lru, &taken);
		spin_unlock(&taken_lock);
		cond_resched();
	}
	give_back();
	clear_current_oom_origin();
	unregister_oom_notifier(&oom_block);
}
