// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many requests are in flight on the armed device.
 *
 * The device is opened at arming and released at disarming: at a crash point
 * nothing may be opened, and while it is open its queue cannot go away.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/preempt.h>
#include <linux/version.h>

#include "crashpoint.h"

static struct block_device *armed_bdev;
static int sample = -1;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static struct file *armed_file;

static struct block_device *open_bdev(dev_t dev)
{
	struct file *file = bdev_file_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);

	if (IS_ERR(file))
		return ERR_CAST(file);
	armed_file = file;
	return file_bdev(file);
}

static void close_bdev(struct block_device *bdev)
{
	fput(armed_file);
	armed_file = NULL;
}
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
static struct bdev_handle *armed_handle;

static struct block_device *open_bdev(dev_t dev)
{
	struct bdev_handle *handle = bdev_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);

	if (IS_ERR(handle))
		return ERR_CAST(handle);
	armed_handle = handle;
	return handle->bdev;
}

static void close_bdev(struct block_device *bdev)
{
	bdev_release(armed_handle);
	armed_handle = NULL;
}
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
static struct block_device *open_bdev(dev_t dev)
{
	return blkdev_get_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
}

static void close_bdev(struct block_device *bdev)
{
	blkdev_put(bdev, NULL);
}
#else
static struct block_device *open_bdev(dev_t dev)
{
	return blkdev_get_by_dev(dev, FMODE_READ, NULL);
}

static void close_bdev(struct block_device *bdev)
{
	blkdev_put(bdev, FMODE_READ);
}
#endif

/* -ENXIO where there is no such device. */
int cp_device_open(dev_t dev)
{
	struct block_device *bdev = open_bdev(dev);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	armed_bdev = bdev;
	cp_inflight_sample();
	return 0;
}

void cp_device_close(void)
{
	if (armed_bdev)
		close_bdev(armed_bdev);
	armed_bdev = NULL;
	sample = -1;
}

/* The whole disk, also where a partition was named: requests know no others. */
dev_t cp_device_disk(void)
{
	return disk_devt(armed_bdev->bd_disk);
}

struct count {
	struct request_queue *queue;
	int requests;
};

static bool count_one(struct request *rq, void *data)
{
	struct count *count = data;

	/* One tag set may serve several disks, as all namespaces of an NVMe. */
	if (rq->q == count->queue && blk_mq_rq_state(rq) == MQ_RQ_IN_FLIGHT)
		count->requests++;
	return true;
}

static int count_requests(void)
{
	struct count count = { };

	if (!armed_bdev)
		return -1;
	count.queue = bdev_get_queue(armed_bdev);
	if (!count.queue->tag_set)
		return -1;
	blk_mq_tagset_busy_iter(count.queue->tag_set, count_one, &count);
	return count.requests;
}

/*
 * The walk over the requests takes a spinlock. An NMI may interrupt its holder,
 * and on PREEMPT_RT whoever takes it may sleep, which the probe of a tracepoint
 * may not. Everywhere else the lock is irq-safe and no crash point holds it.
 */
static bool may_count(void)
{
	return !in_nmi() && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible());
}

/* Taken at arming and by the pulse: at most a jiffy old, and new at its NMI. */
void cp_inflight_sample(void)
{
	WRITE_ONCE(sample, count_requests());
}

/*
 * Requests that the driver has and that are not completed; -1 without a device,
 * or where its driver takes bios and so counts nothing. Any context: where they
 * may not be counted, as many as there were when that was done last.
 */
int cp_inflight(void)
{
	return may_count() ? count_requests() : READ_ONCE(sample);
}
