// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon schemes: what the schemes of contexts have done, and to which regions. */
#include <errno.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/facts.h"
#include "cli/message.h"
#include "cli/reporting.h"
#include "cli/signals.h"
#include "cli/tried.h"
#include "report/format.h"

static void print_done(const char *what, const json_t *scheme, const char *nr, const char *sz)
{
	printf("  %-9s %s in %s regions\n", what, format_size((double)fact_number(scheme, sz)).s,
	       format_count((uint64_t)fact_number(scheme, nr)).s);
}

static void print_regions(const json_t *regions)
{
	const json_t *region;
	size_t i;

	if (!regions)
		return;
	if (!json_array_size(regions)) {
		puts("  no region in the last pass");
		return;
	}
	printf("  %-12s %-12s %10s %9s %6s\n", "start", "end", "size", "accesses", "age");
	for (i = 0; (region = json_array_get(regions, i)); i++)
		printf("  %s %s %10s %9lld %6lld\n",
		       format_address((uint64_t)fact_number(region, "start")).s,
		       format_address((uint64_t)fact_number(region, "end")).s,
		       format_size(
			       (double)(fact_number(region, "end") - fact_number(region, "start")))
			       .s,
		       fact_number(region, "nr_accesses"), fact_number(region, "age"));
}

static void print_scheme(const char *context, size_t s, const json_t *scheme)
{
	const char *words = fact_text(scheme, "words");

	printf("%s scheme %zu: %s\n", context, s, *words ? words : fact_text(scheme, "action"));
	print_done("tried", scheme, "nr_tried", "sz_tried");
	print_done("applied", scheme, "nr_applied", "sz_applied");
	if (fact_number(scheme, "effective_bytes") || fact_number(scheme, "qt_exceeds"))
		printf("  %-9s %s now, used up %s times\n", "quota", fact_quota(scheme).s,
		       format_count((uint64_t)fact_number(scheme, "qt_exceeds")).s);
	printf("  %-9s %s\n", "passes",
	       format_count((uint64_t)fact_number(scheme, "nr_snapshots")).s);
	print_regions(json_object_get(scheme, "tried_regions"));
}

struct listing {
	const struct tree *tree;
	const struct options *opts;
	json_t *list;
};

/* Have the tree collect the regions of the next pass, and add them to what is known of the schemes. */
static int add_regions(const struct tree *tree, const struct context_address *address,
		       enum context_state state, json_t *schemes)
{
	size_t i;
	json_t *scheme, *regions;
	int ret = 0;

	if (state == CONTEXT_ON && json_array_size(schemes))
		ret = tree_state(tree, address->kdamond, "update_schemes_tried_regions");
	for (i = 0; (scheme = json_array_get(schemes, i)); i++) {
		if (ret)
			break;
		ret = tried_regions(tree, address, (unsigned int)i, &regions);
		if (!ret)
			json_object_set_new(scheme, "tried_regions", regions);
	}
	return ret;
}

static int add_context(void *data, const struct context_address *address, enum context_state state)
{
	struct listing *listing = data;
	char name[32];
	json_t *schemes = NULL;
	int ret;

	ret = schemes_refresh(listing->tree, address, state);
	if (!ret)
		ret = schemes_facts(listing->tree, address, &schemes);
	if (!ret && listing->opts->regions)
		ret = add_regions(listing->tree, address, state, schemes);
	if (ret) {
		json_decref(schemes);
		return ret;
	}
	snprintf(name, sizeof(name), "%u/%u", address->kdamond, address->context);
	json_array_append_new(listing->list,
			      json_pack("{s:s, s:s, s:o}", "context", name, "state",
					context_state_name(state), "schemes", schemes));
	return 0;
}

static void print_contexts(const json_t *contexts)
{
	const json_t *context, *scheme;
	size_t nr = 0, i, s;

	for (i = 0; (context = json_array_get(contexts, i)); i++) {
		const json_t *schemes = json_object_get(context, "schemes");

		for (s = 0; (scheme = json_array_get(schemes, s)); s++)
			print_scheme(fact_text(context, "context"), s, scheme);
		nr += json_array_size(schemes);
	}
	if (!nr)
		puts("no scheme; give one to udamon start or tune with --scheme");
}

int schemes_command(const struct options *opts, int argc, char **argv)
{
	struct listing listing = {.opts = opts, .list = json_array()};
	struct tree tree;
	int ret;

	signals_note_end();
	ret = tree_open(&tree, opts);
	listing.tree = &tree;
	if (!ret && !listing.list)
		ret = give_up(EXIT_FAILED, "out of memory");
	if (!ret)
		ret = contexts_for_each(&tree, argc, argv, add_context, &listing);
	if (!ret && opts->json)
		ret = json_print(json_incref(listing.list));
	else if (!ret)
		print_contexts(listing.list);
	json_decref(listing.list);
	tree_close(&tree);
	return ret;
}
