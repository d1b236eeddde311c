// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lists of tried regions. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sysfs/tried.h"
#include "sysfs/value.h"

struct sysfs_tried *sysfs_tried_new(uint32_t nr_probes)
{
	struct sysfs_tried *tried = calloc(1, sizeof(*tried));

	if (!tried)
		return NULL;
	tried->refs = 1;
	tried->nr_probes = nr_probes;
	return tried;
}

struct sysfs_tried *sysfs_tried_get(struct sysfs_tried *tried)
{
	if (tried)
		__atomic_add_fetch(&tried->refs, 1, __ATOMIC_RELAXED);
	return tried;
}

void sysfs_tried_put(struct sysfs_tried *tried)
{
	if (!tried || __atomic_sub_fetch(&tried->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(tried->regions);
	free(tried);
}

int sysfs_tried_add(struct sysfs_tried *tried, const struct sysfs_tried_region *region)
{
	struct sysfs_tried_region *regions;
	size_t room;

	if (tried->nr == tried->room) {
		room = tried->room ? tried->room * 2 : 64;
		regions = reallocarray(tried->regions, room, sizeof(*regions));
		if (!regions)
			return -ENOMEM;
		tried->regions = regions;
		tried->room = room;
	}
	tried->regions[tried->nr++] = *region;
	return 0;
}

uint64_t sysfs_tried_number(const struct sysfs_tried *tried, enum sysfs_source source, size_t idx,
			    size_t probe)
{
	const struct sysfs_tried_region *region = &tried->regions[idx];

	switch (source) {
	case SYSFS_TRIED_START:
		return region->ar.start;
	case SYSFS_TRIED_END:
		return region->ar.end;
	case SYSFS_TRIED_ACCESSES:
		return region->nr_accesses;
	case SYSFS_TRIED_AGE:
		return region->age;
	case SYSFS_TRIED_PASSED:
		return region->sz_filter_passed;
	default:
		return region->probe_hits[probe];
	}
}

int sysfs_tried_print(const struct sysfs_tried *tried, struct sysfs_text *text)
{
	int err = sysfs_text_printf(text, "start\tend\tnr_accesses\tage\tsz_filter_passed");
	uint32_t probe;
	size_t i;

	for (probe = 0; !err && tried && probe < tried->nr_probes; probe++)
		err = sysfs_text_printf(text, "\thits_%" PRIu32, probe);
	if (!err)
		err = sysfs_text_printf(text, "\n");
	for (i = 0; !err && tried && i < tried->nr; i++) {
		const struct sysfs_tried_region *region = &tried->regions[i];

		err = sysfs_text_printf(text,
					"%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%" PRIu32
					"\t%" PRIu64,
					region->ar.start, region->ar.end, region->nr_accesses,
					region->age, region->sz_filter_passed);
		for (probe = 0; !err && probe < tried->nr_probes; probe++)
			err = sysfs_text_printf(text, "\t%u", region->probe_hits[probe]);
		if (!err)
			err = sysfs_text_printf(text, "\n");
	}
	return err;
}
