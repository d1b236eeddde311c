// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon pause, resume, tune: change a running context. */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/commit.h"
#include "cli/message.h"
#include "cli/schemes.h"
#include "cli/signals.h"
#include "cli/staging_context.h"

/* A tree that is open and locked, and the running context a command is for. */
struct running {
	struct tree tree;
	struct context_address address;
	enum context_state state;
};

static int running_open(struct running *running, const struct options *opts, int argc, char **argv)
{
	int ret;

	signals_note_end();
	ret = tree_open(&running->tree, opts);
	if (!ret)
		ret = tree_lock(&running->tree);
	if (!ret)
		ret = context_choose(&running->tree, argc, argv, false, &running->address,
				     &running->state);
	return ret;
}

static int set_pause(const struct options *opts, int argc, char **argv, const char *value)
{
	struct settings settings = {0};
	struct running running;
	char path[TREE_PATH_SIZE];
	int ret = running_open(&running, opts, argc, argv);

	if (ret)
		goto out;
	tree_path(path, "%u/contexts/%u/pause", running.address.kdamond, running.address.context);
	if (!tree_has(&running.tree, path)) {
		ret = give_up(EXIT_CANNOT, "'%s/%s': this kernel's DAMON can't pause",
			      running.tree.root, path);
		goto out;
	}
	settings_text(&settings, value, NULL, "pause");
	ret = context_commit(&running.tree, &running.address, &settings, opts->force);
	if (!ret)
		note("%u/%u %s", running.address.kdamond, running.address.context,
		     *value == 'Y' ? "pauses: it keeps what it has, and looks at nothing"
				   : "goes on");
out:
	settings_clear(&settings);
	tree_close(&running.tree);
	return ret;
}

int pause_command(const struct options *opts, int argc, char **argv)
{
	return set_pause(opts, argc, argv, "Y");
}

int resume_command(const struct options *opts, int argc, char **argv)
{
	return set_pause(opts, argc, argv, "N");
}

/* Only what was asked for; the rest stays. */
static void settings_tuned(struct settings *settings, const struct options *opts)
{
#define INTERVALS "monitoring_attrs/intervals/"
#define REGIONS	  "monitoring_attrs/nr_regions/"
	if (opts->sample_us)
		settings_number(settings, opts->sample_us, UINT64_MAX, INTERVALS "sample_us");
	if (opts->aggr_us)
		settings_number(settings, opts->aggr_us, UINT64_MAX, INTERVALS "aggr_us");
	if (opts->update_us)
		settings_number(settings, opts->update_us, UINT64_MAX, INTERVALS "update_us");
	if (opts->min_regions)
		settings_number(settings, opts->min_regions, UINT64_MAX, REGIONS "min");
	if (opts->max_regions)
		settings_number(settings, opts->max_regions, UINT64_MAX, REGIONS "max");
	/* As when a context is started: who gives intervals wants those, unless tuning is asked for too. */
	if (opts->autotune == TUNE_OFF ||
	    (opts->autotune == TUNE_DEFAULT && (opts->sample_us || opts->aggr_us)))
		settings_number(settings, 0, 0, INTERVALS "intervals_goal/aggrs");
	if (opts->autotune == TUNE_ON)
		settings_goal(settings, &opts->goal);
#undef INTERVALS
#undef REGIONS
}

/* The intervals that shares and times of schemes are converted by: those that are asked for, or staged. */
static int intervals_to_be(const struct running *running, const struct options *opts,
			   struct damon_attrs *attrs)
{
	const struct {
		const char *name;
		uint64_t asked, *to;
	} files[] = {{"sample_us", opts->sample_us, &attrs->sample_interval},
		     {"aggr_us", opts->aggr_us, &attrs->aggr_interval}};
	char path[TREE_PATH_SIZE];

	damon_default_attrs(attrs);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int64_t number = (int64_t)files[i].asked;
		int ret = 0;

		if (!number)
			ret = tree_get_number(
				&running->tree,
				tree_path(path, "%u/contexts/%u/monitoring_attrs/intervals/%s",
					  running->address.kdamond, running->address.context,
					  files[i].name),
				&number);
		if (ret)
			return tree_failed(&running->tree, path, NULL, ret);
		*files[i].to = (uint64_t)number;
	}
	return 0;
}

static int add_schemes(struct settings *settings, const struct running *running,
		       const struct options *opts)
{
	struct params_schemes schemes = {0};
	struct damon_attrs attrs;
	int ret = 0;

	if (!opts->nr_schemes && !opts->no_schemes)
		return 0;
	if (!opts->no_schemes) {
		ret = intervals_to_be(running, opts, &attrs);
		if (!ret)
			ret = schemes_read(opts, 0, opts->nr_schemes, &attrs, &schemes);
	}
	if (!ret)
		settings_schemes(settings, &schemes);
	params_schemes_free(&schemes);
	return ret;
}

int tune_command(const struct options *opts, int argc, char **argv)
{
	struct settings settings = {0};
	struct running running;
	bool schemes = opts->nr_schemes;
	int ret;

	if (schemes && opts->no_schemes)
		return give_up(EXIT_USAGE, "--no-schemes and new schemes ('%s') don't go together",
			       opts->schemes[0].text);
	settings_tuned(&settings, opts);
	if (!settings.nr && !settings.incomplete && !schemes && !opts->no_schemes && !opts->force)
		return give_up(EXIT_USAGE, "what shall be changed? give attributes or schemes, or "
					   "--force to bring in force what is staged");
	ret = running_open(&running, opts, argc, argv);
	if (!ret)
		ret = add_schemes(&settings, &running, opts);
	if (!ret)
		ret = context_commit(&running.tree, &running.address, &settings, opts->force);
	if (!ret)
		note("in force in %u/%u", running.address.kdamond, running.address.context);
	settings_clear(&settings);
	tree_close(&running.tree);
	return ret;
}
