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

#include "crashpoint.h"
#include "types.h"

static bool oom_came;

/*
 * Called before the OOM killer panics or chooses, and last of all: if somebody
 * else, a balloon driver for one, could free memory, it does neither.
 */
static int note_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	if (!*(unsigned long *)freed)
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
 * taken first; in a kernel thread another one dies, but no second one.
 *
 * An allocation fails, instead of bringing the OOM killer, where the crash point
 * lies in reclaim, or where this task has been killed.
 */
void cp_crash_oom(void)
{
	struct page *page, *next;
	LIST_HEAD(pages);

	WRITE_ONCE(oom_came, false);
	if (register_oom_notifier(&oom_block))
		return;
	set_current_oom_origin();
	cp_at_crash(false);
	while (!READ_ONCE(oom_came) && !fatal_signal_pending(current)) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			break;
		list_add(&page->lru, &pages);
		cond_resched();
	}
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_page(page);
	clear_current_oom_origin();
	unregister_oom_notifier(&oom_block);
}
