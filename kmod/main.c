// SPDX-License-Identifier: GPL-2.0-only
/*
 * crashpoint.ko plants crash points in a running kernel, for measuring whether
 * a crash dump is captured. Loading it arms nothing.
 *
 * This file: load, unload, and the files in debugfs (crashpoint/):
 *	control	write one command, read what can be written
 *	listing	where records and canaries lie, for the verifier of the dump
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "crashpoint.h"

#define CONTROL_BYTES	4096

static struct dentry *directory;

static int show_control(struct seq_file *m, void *unused)
{
	cp_lock();
	cp_show_control(m);
	cp_unlock();
	return 0;
}

static int open_control(struct inode *inode, struct file *file)
{
	return single_open(file, show_control, NULL);
}

static ssize_t write_control(struct file *file, const char __user *from, size_t count,
			     loff_t *pos)
{
	ssize_t result;
	char *text;

	if (!count || count > CONTROL_BYTES) {
		pr_warn("refused: a command of %zu bytes; accepted are 1 to %u\n",
			count, CONTROL_BYTES);
		return -EINVAL;
	}
	text = memdup_user_nul(from, count);
	if (IS_ERR(text)) {
		pr_warn("refused: a command that could not be read (%ld); accepted is one in the writer's own memory\n",
			PTR_ERR(text));
		return PTR_ERR(text);
	}
	result = cp_control(text, count);
	kfree(text);
	return result ? result : count;
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.open = open_control,
	.read = seq_read,
	.write = write_control,
	.llseek = seq_lseek,
	.release = single_release,
};

static int show_listing(struct seq_file *m, void *unused)
{
	cp_lock();
	cp_show_listing(m);
	cp_unlock();
	return 0;
}

static int open_listing(struct inode *inode, struct file *file)
{
	return single_open(file, show_listing, NULL);
}

static const struct file_operations listing_ops = {
	.owner = THIS_MODULE,
	.open = open_listing,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init crashpoint_init(void)
{
	int err = cp_points_init();

	if (err)
		return err;
	directory = debugfs_create_dir("crashpoint", NULL);
	if (IS_ERR(directory)) {
		pr_err("no debugfs directory (%ld): is debugfs configured and allowed?\n",
		       PTR_ERR(directory));
		cp_points_exit();
		return PTR_ERR(directory);
	}
	/*
	 * "unsafe" leaves out debugfs' own count of running calls, which would
	 * never come down after a crash that kills only the writer, and unload
	 * would wait for it for ever. The module's reference, held by every open
	 * file through .owner, protects these files just as well.
	 */
	debugfs_create_file_unsafe("control", 0600, directory, NULL, &control_ops);
	debugfs_create_file_unsafe("listing", 0400, directory, NULL, &listing_ops);
	return 0;
}

/* Armed and fired trials hold a reference: neither can be the case here. */
static void __exit crashpoint_exit(void)
{
	debugfs_remove(directory);
	cp_points_exit();
	cp_unplant();
}

module_init(crashpoint_init);
module_exit(crashpoint_exit);
MODULE_DESCRIPTION("Crash points for measuring the capture of crash dumps");
MODULE_AUTHOR("Dump Survey");
MODULE_VERSION("1");
MODULE_LICENSE("GPL");
