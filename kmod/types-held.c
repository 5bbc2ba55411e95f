// SPDX-License-Identifier: GPL-2.0-only
/*
 * A panic with locks held that whoever writes the dump may want: a raw spinlock
 * with interrupts off, and the console lock, as when a console driver crashes.
 */
#include <linux/console.h>
#include <linux/delay.h>
#include <linux/panic.h>
#include <linux/spinlock.h>

#include "crashpoint.h"
#include "types.h"

#define CONSOLE_WAIT_MS	1000

static DEFINE_RAW_SPINLOCK(held);

/*
 * Another CPU may be printing: it gets time to finish. If whoever was interrupted
 * here holds the console lock it will not finish, and the record does not claim
 * a lock of ours. Until panic() flushes the consoles by force, at its end and so
 * after a dump, nothing is shown on them.
 */
void cp_crash_spinlock_held(void)
{
	unsigned long flags;
	unsigned int ms;

	raw_spin_lock_irqsave(&held, flags);
	cp_at_crash(raw_spin_is_locked(&held));
	for (ms = 0; ms < CONSOLE_WAIT_MS; ms++) {
		if (console_trylock()) {
			cp_add_fired_flags(CP_CRASH_CONSOLE_HELD);
			break;
		}
		mdelay(1);
	}
	panic("crashpoint");
}
