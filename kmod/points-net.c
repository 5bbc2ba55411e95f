// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of the crash points on the way of packets. The interface is known by
 * its index alone: a reference would keep it from being unregistered, and
 * indices are not given out again soon.
 */
#include <linux/netdevice.h>
#include <net/net_namespace.h>
#include <trace/events/napi.h>
#include <trace/events/net.h>

#include "points.h"

static void hit_on(const struct net_device *dev)
{
	if (dev && dev->ifindex == cp_trial.ifindex && net_eq(dev_net(dev), &init_net))
		cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_net_xmit(void *data, const struct sk_buff *skb, const struct net_device *dev)
{
	hit_on(dev);
}

void cp_probe_net_poll(void *data, struct napi_struct *napi, int work, int budget)
{
	hit_on(napi->dev);
}

/* 0 where there is none of that name. */
int cp_interface_index(const char *name)
{
	struct net_device *dev = dev_get_by_name(&init_net, name);
	int index = dev ? dev->ifindex : 0;

	dev_put(dev);
	return index;
}

/* The compiler alone calls it: a probe's arguments must be its tracepoint's. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_net_dev_start_xmit(cp_probe_net_xmit);
	check_trace_callback_type_napi_poll(cp_probe_net_poll);
}
