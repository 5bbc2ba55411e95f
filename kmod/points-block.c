// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes of the crash points on the way of data to a disk, from reclaim down to
 * the host adapter.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <trace/events/block.h>
#include <trace/events/scsi.h>
#include <trace/events/vmscan.h>

#include "points.h"

static void hit_on(struct gendisk *disk)
{
	if (disk && disk_devt(disk) == cp_trial.disk)
		cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_swapout(void *data, int nid, unsigned long nr_scanned, unsigned long nr_reclaimed,
		      struct reclaim_stat *stat, int priority, int file)
{
	cp_hit(CP_PROBE_PREEMPT);
}

void cp_probe_block_submit(void *data, struct bio *bio)
{
	hit_on(bio->bi_bdev->bd_disk);
}

void cp_probe_block_dispatch(void *data, struct request *rq)
{
	hit_on(rq->q->disk);
}

void cp_probe_scsi_dispatch(void *data, struct scsi_cmnd *cmd)
{
	hit_on(scsi_cmd_to_rq(cmd)->q->disk);
}

/* int ata_scsi_ioctl(struct scsi_device *scsidev, unsigned int cmd, ...) */
const char *const cp_ata_functions[] = {
	"ata_scsi_ioctl",
	NULL
};

void cp_probe_ata_ioctl(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	const struct scsi_device *sdev = (void *)cp_ftrace_argument(fregs, 0);

	hit_on(sdev->request_queue->disk);
}

/* The compiler alone calls it: a probe's arguments must be its tracepoint's. */
static void __maybe_unused check_types(void)
{
	check_trace_callback_type_mm_vmscan_lru_shrink_inactive(cp_probe_swapout);
	check_trace_callback_type_block_bio_queue(cp_probe_block_submit);
	check_trace_callback_type_block_rq_issue(cp_probe_block_dispatch);
	check_trace_callback_type_scsi_dispatch_cmd_start(cp_probe_scsi_dispatch);
}
