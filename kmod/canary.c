// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is planted in memory for one nonce: the armed and the fired record, and
 * canaries in every kind of memory a dump can lose. crashpoint.h has the
 * layouts; the listing says where each one lies.
 *
 * Everything here but cp_fired_record() runs under the control mutex.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "crashpoint.h"

#define GOLDEN		0x9E3779B97F4A7C15ULL
#define MAX_CANARIES	64
#define MAX_NODES	8	/* so that a machine with many nodes fits */
#define PAGES_PER_NODE	2
#define HIGH_ORDER	4
#define SLAB_OBJECTS	2
#define SLAB_BYTES	2048
#define VMALLOC_PAGES	3
#define PERCPU_BYTES	1024
#define MAX_PERCPU	4

static_assert(MAX_NODES * PAGES_PER_NODE + 1 + SLAB_OBJECTS + VMALLOC_PAGES + MAX_PERCPU + 1 <=
	      MAX_CANARIES);
static_assert(MAX_CANARIES <= CP_INDEX_ARMED);

struct canary {
	const char *kind;
	unsigned int order;
	void *virt;
	phys_addr_t phys;
	size_t bytes;
};

struct plant {
	u8 nonce[CP_NONCE_BYTES];
	struct cp_armed_record *armed;
	struct cp_fired_record *fired;
	unsigned int count;
	struct canary canary[MAX_CANARIES];
	void *vmalloc_area;
	void __percpu *percpu_area;
};

static struct plant *planted;

/*
 * Static and initialised, so that it is a page of the module's own .data and
 * not of its .bss.
 */
static u8 module_page[PAGE_SIZE] __aligned(PAGE_SIZE) = { 1 };

static u64 mix(u64 z)
{
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

static void fill(void *to, size_t bytes, const u8 *nonce, unsigned int index)
{
	__le64 half[2];
	__le64 *word = to;
	u64 seed;
	size_t j;

	memcpy(half, nonce, sizeof(half));
	seed = le64_to_cpu(half[0]) ^ rol64(le64_to_cpu(half[1]), 32) ^ (index * GOLDEN);
	for (j = 0; j < bytes / sizeof(*word); j++)
		word[j] = cpu_to_le64(mix(seed + (j + 1) * GOLDEN));
}

/*
 * Module and per-CPU memory may lie in the vmalloc area or in the linear map.
 * per_cpu_ptr_to_phys() does the same, but modules cannot call it.
 */
static phys_addr_t phys_of(const void *virt)
{
	if (virt_addr_valid(virt))
		return virt_to_phys((void *)virt);
	return PFN_PHYS(vmalloc_to_pfn(virt)) + offset_in_page(virt);
}

static void add(struct plant *p, const char *kind, unsigned int order, void *virt, size_t bytes)
{
	struct canary *c = &p->canary[p->count];

	fill(virt, bytes, p->nonce, p->count);
	c->kind = kind;
	c->order = order;
	c->virt = virt;
	c->phys = phys_of(virt);
	c->bytes = bytes;
	p->count++;
}

static bool add_page_canary(struct plant *p, int node, unsigned int order)
{
	struct page *page = alloc_pages_node(node, GFP_KERNEL, order);

	if (!page)
		return false;
	add(p, "page", order, page_address(page), PAGE_SIZE << order);
	return true;
}

static bool add_all(struct plant *p)
{
	unsigned int nodes = 0, cpus = 0, i;
	void *object;
	int node, cpu;

	for_each_node_state(node, N_MEMORY) {
		if (nodes++ == MAX_NODES)
			break;
		for (i = 0; i < PAGES_PER_NODE; i++)
			if (!add_page_canary(p, node, 0))
				return false;
	}
	if (!add_page_canary(p, NUMA_NO_NODE, HIGH_ORDER))
		return false;

	for (i = 0; i < SLAB_OBJECTS; i++) {
		object = kmalloc(SLAB_BYTES, GFP_KERNEL);
		if (!object)
			return false;
		add(p, "slab", 0, object, SLAB_BYTES);
	}

	p->vmalloc_area = vmalloc(VMALLOC_PAGES * PAGE_SIZE);
	if (!p->vmalloc_area)
		return false;
	for (i = 0; i < VMALLOC_PAGES; i++)
		add(p, "vmalloc", 0, p->vmalloc_area + i * PAGE_SIZE, PAGE_SIZE);

	/* Aligned to its size, so that none crosses a page. */
	p->percpu_area = __alloc_percpu(PERCPU_BYTES, PERCPU_BYTES);
	if (!p->percpu_area)
		return false;
	for_each_online_cpu(cpu) {
		if (cpus++ == MAX_PERCPU)
			break;
		add(p, "percpu", 0, per_cpu_ptr(p->percpu_area, cpu), PERCPU_BYTES);
	}

	/* There is only one: filling it takes it from the plant before, see cp_plant(). */
	add(p, "module-data", 0, module_page, PAGE_SIZE);
	return true;
}

/*
 * Cleared first: what a nonce left behind must not be found in the dump of
 * another.
 */
static void free_plant(struct plant *p)
{
	unsigned int i;

	for (i = 0; i < p->count; i++) {
		struct canary *c = &p->canary[i];

		memset(c->virt, 0, c->bytes);
		if (!strcmp(c->kind, "page"))
			free_pages((unsigned long)c->virt, c->order);
		else if (!strcmp(c->kind, "slab"))
			kfree(c->virt);
	}
	vfree(p->vmalloc_area);
	free_percpu(p->percpu_area);
	if (p->armed)
		memset(p->armed, 0, PAGE_SIZE);
	if (p->fired)
		memset(p->fired, 0, PAGE_SIZE);
	free_page((unsigned long)p->armed);
	free_page((unsigned long)p->fired);
	kfree(p);
}

int cp_plant(const u8 *nonce)
{
	struct plant *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	memcpy(p->nonce, nonce, sizeof(p->nonce));
	p->armed = (void *)__get_free_page(GFP_KERNEL);
	p->fired = (void *)__get_free_page(GFP_KERNEL);
	if (!p->armed || !p->fired || !add_all(p)) {
		free_plant(p);
		/* The module's own page was not reached: add_all() takes it last. */
		return -ENOMEM;
	}

	fill(p->armed, PAGE_SIZE, nonce, CP_INDEX_ARMED);
	memcpy(p->armed->magic, "DSARMED1", sizeof(p->armed->magic));
	memcpy(p->armed->nonce, nonce, sizeof(p->armed->nonce));
	fill(p->fired, PAGE_SIZE, nonce, CP_INDEX_FIRED);
	memcpy(&p->fired->magic, "DSUNFIRD", sizeof(p->fired->magic));
	memcpy(p->fired->nonce, nonce, sizeof(p->fired->nonce));

	if (planted) {
		planted->count--;	/* the module's own page, last of all, is p's */
		free_plant(planted);
	}
	planted = p;
	return 0;
}

void cp_unplant(void)
{
	if (planted)
		free_plant(planted);
	planted = NULL;
}

/* With a nonce: is that one planted? Without: is any? */
bool cp_planted(const u8 *nonce)
{
	return planted && (!nonce || !memcmp(planted->nonce, nonce, CP_NONCE_BYTES));
}

bool cp_has_fired(void)
{
	return memcmp(&planted->fired->magic, "DSUNFIRD", sizeof(planted->fired->magic));
}

/* Only while armed or fired: what is planted cannot be freed then. */
struct cp_fired_record *cp_fired_record(void)
{
	return planted->fired;
}

static void show_record(struct seq_file *m, const char *name, const void *record)
{
	seq_printf(m, "record=%s phys=0x%llx virt=0x%lx bytes=%lu\n", name,
		   (unsigned long long)virt_to_phys((void *)record),
		   (unsigned long)record, PAGE_SIZE);
}

void cp_show_listing(struct seq_file *m)
{
	unsigned int i;

	if (!planted)
		return;
	seq_printf(m, "v=1 nonce=%*phN\n", CP_NONCE_BYTES, planted->nonce);
	show_record(m, "armed", planted->armed);
	show_record(m, "fired", planted->fired);
	for (i = 0; i < planted->count; i++) {
		struct canary *c = &planted->canary[i];

		seq_printf(m, "canary=%u kind=%s order=%u node=%d phys=0x%llx virt=0x%lx bytes=%zu\n",
			   i, c->kind, c->order, page_to_nid(pfn_to_page(PHYS_PFN(c->phys))),
			   (unsigned long long)c->phys, (unsigned long)c->virt, c->bytes);
	}
}
