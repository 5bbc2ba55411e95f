// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the text of a command to its values. What is judged here is the text
 * alone: whether there is such a device is not.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "command.h"

#define MAX_INFLIGHT	1024
#define MAX_SKIP	1000000
#define MAX_MAJOR	((1U << (32 - MINORBITS)) - 1)
#define MAX_MINOR	((1U << MINORBITS) - 1)
#define MAX_DOMAIN	0xfffff

const struct cp_key_text cp_keys[KEYS] = {
	[KEY_ACTION]	= { "action",	"plant, arm, disarm" },
	[KEY_NONCE]	= { "nonce",	"32 lower-case hex digits" },
	[KEY_POINT]	= { "point",	"a name listed under points" },
	[KEY_TYPE]	= { "type",	"a name listed under types" },
	[KEY_DEVICE]	= { "device",	"MAJOR:MINOR of a block device" },
	[KEY_INTERFACE]	= { "interface", "NAME of a network interface" },
	[KEY_PCI]	= { "pci",	"DDDD:BB:SS.F of a PCI device" },
	[KEY_INFLIGHT]	= { "inflight",	"0 to " __stringify(MAX_INFLIGHT) " requests" },
	[KEY_SKIP]	= { "skip",	"0 to " __stringify(MAX_SKIP) " hits" },
	[KEY_CPU]	= { "cpu",	"the number of a CPU that is online" },
};

static int refuse_value(const struct command *c, enum cp_key key)
{
	return refuse(-EINVAL, "%s=%.40s; accepted: %s", cp_keys[key].name, c->value[key],
		      cp_keys[key].range);
}

static int parse_nonce(struct command *c)
{
	const char *text = c->value[KEY_NONCE];
	size_t length = strlen(text);

	if (length != 2 * CP_NONCE_BYTES || strspn(text, "0123456789abcdef") != length)
		return refuse_value(c, KEY_NONCE);
	return hex2bin(c->nonce, text, CP_NONCE_BYTES);
}

static int parse_point(struct command *c)
{
	unsigned int i;

	for (i = 0; i < cp_point_count; i++) {
		if (!strcmp(c->value[KEY_POINT], cp_points[i].name)) {
			c->point = &cp_points[i];
			return 0;
		}
	}
	return refuse(-EINVAL, "point=%.40s is unknown; reading control lists the points",
		      c->value[KEY_POINT]);
}

static int parse_type(struct command *c)
{
	unsigned int i;

	for (i = 0; i < cp_type_count; i++) {
		if (!strcmp(c->value[KEY_TYPE], cp_types[i].name)) {
			c->type = &cp_types[i];
			return 0;
		}
	}
	return refuse(-EINVAL, "type=%.40s is unknown; reading control lists the types",
		      c->value[KEY_TYPE]);
}

/* Digits only: kstrtouint() would take signs and prefixes too. */
static bool number(const char *text, size_t length, unsigned int base, unsigned int max,
		   unsigned int *value)
{
	char digits[12];
	size_t i;

	if (!length || length >= sizeof(digits))
		return false;
	for (i = 0; i < length; i++)
		if (base == 16 ? !isxdigit(text[i]) : !isdigit(text[i]))
			return false;
	memcpy(digits, text, length);
	digits[length] = 0;
	return !kstrtouint(digits, base, value) && *value <= max;
}

static bool decimal(const char *text, unsigned int max, unsigned int *value)
{
	return number(text, strlen(text), 10, max, value);
}

static int parse_device(struct command *c)
{
	const char *text = c->value[KEY_DEVICE];
	const char *colon = strchr(text, ':');
	unsigned int major, minor;

	if (!colon || !number(text, colon - text, 10, MAX_MAJOR, &major) ||
	    !decimal(colon + 1, MAX_MINOR, &minor))
		return refuse_value(c, KEY_DEVICE);
	c->device = MKDEV(major, minor);
	return 0;
}

static int parse_interface(struct command *c)
{
	return dev_valid_name(c->value[KEY_INTERFACE]) ? 0 : refuse_value(c, KEY_INTERFACE);
}

/* Behind a VMD the domain has five digits. */
static int parse_pci(struct command *c)
{
	const char *text = c->value[KEY_PCI];
	size_t domain = strcspn(text, ":");
	const char *rest = text + domain;	/* ":BB:SS.F" */
	unsigned int slot, function;

	if (domain < 4 || strlen(rest) != 8 || rest[3] != ':' || rest[6] != '.' ||
	    !number(text, domain, 16, MAX_DOMAIN, &c->pci.domain) ||
	    !number(rest + 1, 2, 16, 0xff, &c->pci.bus) ||
	    !number(rest + 4, 2, 16, 0x1f, &slot) ||
	    !number(rest + 7, 1, 16, 7, &function))
		return refuse_value(c, KEY_PCI);
	c->pci.devfn = PCI_DEVFN(slot, function);
	return 0;
}

static int parse_inflight(struct command *c)
{
	return decimal(c->value[KEY_INFLIGHT], MAX_INFLIGHT, &c->inflight) ?
		0 : refuse_value(c, KEY_INFLIGHT);
}

static int parse_skip(struct command *c)
{
	return decimal(c->value[KEY_SKIP], MAX_SKIP, &c->skip) ? 0 : refuse_value(c, KEY_SKIP);
}

static int parse_cpu(struct command *c)
{
	unsigned int cpu;

	if (!decimal(c->value[KEY_CPU], NR_CPUS - 1, &cpu))
		return refuse_value(c, KEY_CPU);
	c->cpu = cpu;
	return 0;
}

static int (*const parsers[KEYS])(struct command *c) = {
	[KEY_NONCE]	= parse_nonce,
	[KEY_POINT]	= parse_point,
	[KEY_TYPE]	= parse_type,
	[KEY_DEVICE]	= parse_device,
	[KEY_INTERFACE]	= parse_interface,
	[KEY_PCI]	= parse_pci,
	[KEY_INFLIGHT]	= parse_inflight,
	[KEY_SKIP]	= parse_skip,
	[KEY_CPU]	= parse_cpu,
};

/* The values of the words that were given; the action's is not looked at. */
int cp_parse(struct command *c)
{
	unsigned int key;
	int err = 0;

	c->cpu = -1;
	for (key = 0; key < KEYS && !err; key++)
		if (c->value[key] && parsers[key])
			err = parsers[key](c);
	return err;
}

static bool is_text(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (!(text[i] >= ' ' && text[i] <= '~') && text[i] != '\t' && text[i] != '\n')
			return false;
	return true;
}

/* text is length bytes and a NUL; it is cut up, and c points into it. */
int cp_split(char *text, size_t length, struct command *c)
{
	char *word;

	if (!is_text(text, length))
		return refuse(-EINVAL, "a byte that is not printable; accepted are ASCII words key=value");
	while ((word = strsep(&text, " \t\n"))) {
		char *value = strchr(word, '=');
		unsigned int key;

		if (!*word)
			continue;
		if (!value)
			return refuse(-EINVAL, "word \"%.40s\"; accepted are words key=value", word);
		*value++ = 0;
		for (key = 0; key < KEYS; key++)
			if (!strcmp(word, cp_keys[key].name))
				break;
		if (key == KEYS)
			return refuse(-EINVAL, "key \"%.40s\" is unknown; reading control lists the keys",
				      word);
		if (c->value[key])
			return refuse(-EINVAL, "key %s is given twice; accepted is once", word);
		c->value[key] = value;
	}
	return 0;
}
