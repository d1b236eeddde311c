// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The explorer's program: the standard set, a short one for every test run, and replay. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/request.h"
#include "fixtures.h"
#include "scenarios.h"

#define MAX_ITEMS 1024
/* Each switch costs a shadow of the stack under the address sanitizer. */
#ifdef __SANITIZE_ADDRESS__
#define SHORT_SWITCHES 1
#else
#define SHORT_SWITCHES 2
#endif
#define NO_ANSWER "no answer"

enum group {
	GROUP_FIXTURES,	 /* models of other protocols */
	GROUP_MUTATIONS, /* our own, with one rule broken */
	GROUP_THREE,	 /* our own, kdamond and two threads */
	GROUP_FOUR,	 /* our own, kdamond and three threads */
	GROUP_GIVEN,	 /* named on the command line */
	NR_GROUPS,
};

static const char *const group_names[NR_GROUPS] = {
	[GROUP_FIXTURES] = "models of other protocols",
	[GROUP_MUTATIONS] = "udamon with one rule broken",
	[GROUP_THREE] = "udamon, kdamond and two threads",
	[GROUP_FOUR] = "udamon, kdamond and three threads",
	[GROUP_GIVEN] = "udamon, as given",
};

struct item {
	enum group group;
	const struct explore_scenario *scenario;
	struct library_scenario own;
	enum damon_mutation mutation;
	unsigned int max_switches;
	const char *expected; /* part of the fault's text; NULL: there must be none */
	double seconds;
	struct explore_result result;
};

static struct item *items;
static unsigned int nr_items;

struct options {
	int switches; /* -1: the set's own */
	bool all_points, is_short, whole, deep, tap;
	unsigned int jobs;
	double seconds;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct item *add_item(enum group group, unsigned int max_switches)
{
	struct item *item;

	if (nr_items == MAX_ITEMS)
		abort();
	item = &items[nr_items++];
	item->group = group;
	item->max_switches = max_switches;
	snprintf(item->result.fault, sizeof(item->result.fault), NO_ANSWER);
	return item;
}

static void add_fixture(const struct explore_scenario *scenario, const char *expected)
{
	struct item *item = add_item(GROUP_FIXTURES, 3);

	item->scenario = scenario;
	item->expected = expected;
}

static void add_fixtures(void)
{
	add_fixture(&discussed_without_restart, NULL);
	add_fixture(&discussed_with_restart, "walk still waits");
	add_fixture(&later_reads_after_queueing, "touched after its owner got it back");
	add_fixture(&later_busy_without_walker, "refused as busy though nobody walks");
	add_fixture(&later_stale_mark, "without the regions of scheme 0");
}

static void add_library(enum group group, unsigned int max_switches, enum lifecycle life,
			enum asking first, enum asking second)
{
	struct item *item = add_item(group, max_switches);

	library_scenario(&item->own, life, first, second, ASK_NOTHING);
	item->scenario = &item->own.scenario;
}

/* Which rule, the scenario that must show it, what the explorer must say. */
static const struct {
	enum damon_mutation mutation;
	const char *scenario;
	const char *fault;
} mutations[] = {
	/* Invariant 1: exactly one end, no trace of what was refused. */
	{MUTATION_END_TWICE, "run+repeat-cancel-later", ""},
	{MUTATION_LEAVE_TRACE, "restart+call", "touched after"},
	/* Invariant 2: nobody waits for ever. */
	{MUTATION_FORGET_WAKE, "run+call", "call still waits"},
	{MUTATION_FORGET_CLOSE, "stop+walk", ""},
	{MUTATION_IGNORE_PAUSE, "run+pause-long+walk", "walk still waits"},
	/* Invariant 3: no touch after the waiter was woken. */
	{MUTATION_TOUCH_AFTER_WAKE, "run+call", "touched after"},
	/* Invariant 4: an older incarnation doesn't end a newer one's requests. */
	{MUTATION_OLD_CANCELS, "restart+walk", "walk gave -125"},
	/* Invariant 5: not running means refused. */
	{MUTATION_ACCEPT_STOPPED, "stop+call", ""},
	/* Invariant 7: not from inside. */
	{MUTATION_ALLOW_SELF, "run+inside", ""},
	/* Invariant 9: several walks at once; and none ends without having seen everything. */
	{MUTATION_ONE_WALKER, "run+walk+walk", "regions of scheme"},
	{MUTATION_STALE_WALK_MARK, "run+walk-twice", "regions of scheme"},
};

static void add_mutations(void)
{
	size_t i;

	for (i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
		struct item *item = add_item(GROUP_MUTATIONS, 3);

		if (library_scenario_parse(&item->own, mutations[i].scenario))
			abort();
		item->scenario = &item->own.scenario;
		item->mutation = mutations[i].mutation;
		item->expected = mutations[i].fault;
	}
}

/* Every thread 1 with every second thread, and every two threads with a kdamond that goes on. */
static void add_three(unsigned int max_switches)
{
	unsigned int life, first, second;

	for (life = 0; life < NR_LIVES; life++)
		for (first = 0; first < NR_ASKING; first++)
			add_library(GROUP_THREE, max_switches, life, first, ASK_NOTHING);
	for (first = 0; first < NR_ASKING; first++)
		for (second = first; second < NR_ASKING; second++)
			add_library(GROUP_THREE, max_switches, LIFE_GOES_ON, first, second);
}

/* Every thread 1 that does something with every two others. */
static void add_four(const struct options *options)
{
	static const enum lifecycle lives[] = {LIFE_STOP, LIFE_START, LIFE_RESTART};
	unsigned int life, first, second, max_switches;

	for (life = 0; life < sizeof(lives) / sizeof(lives[0]); life++) {
		/* With a restart there are five threads: most of all schedules are there. */
		max_switches = lives[life] == LIFE_RESTART && !options->whole ? 1 : 2;
		for (first = 0; first < NR_ASKING; first++)
			for (second = first; second < NR_ASKING; second++)
				add_library(GROUP_FOUR, max_switches, lives[life], first, second);
	}
}

/* Running. */

static void run_item(struct item *item, const struct options *options)
{
	struct explore_options how = {
		.max_switches = options->switches >= 0 ? (unsigned int)options->switches
						       : item->max_switches,
		.deadline_s = options->seconds > 0 ? now() + options->seconds : 0,
	};
	double since = now();

	explore_mutation = item->mutation;
	explore(item->scenario, &how, &item->result);
	item->seconds = now() - since;
}

/* The items are shared memory; each process takes the next that nobody has taken. */
static int run_items(const struct options *options)
{
	unsigned int *next, idx, i;
	int status, failed = 0;

	next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (next == MAP_FAILED)
		return -ENOMEM;
	fflush(stdout);
	for (i = 0; i < options->jobs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid)
			continue;
		while ((idx = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < nr_items)
			run_item(&items[idx], options);
		_exit(0);
	}
	while (wait(&status) > 0)
		if (status)
			failed = -ECHILD;
	munmap(next, sizeof(*next));
	return failed;
}

/* Telling. */

static bool is_right(const struct item *item)
{
	if (!strcmp(item->result.fault, NO_ANSWER) || item->result.out_of_time)
		return false;
	if (!item->expected)
		return !item->result.fault[0];
	return item->result.fault[0] && strstr(item->result.fault, item->expected);
}

static void print_item(const struct item *item, unsigned int nr, const struct options *options)
{
	const struct explore_result *result = &item->result;
	char mutation[32] = "";
	struct explore_result again;

	if (item->mutation)
		snprintf(mutation, sizeof(mutation), " mutation %d", item->mutation);
	printf("%s%s %u - %s%s: %llu schedules, %llu equivalent left out, %llu choices cut off, %.2f s\n",
	       options->tap ? "" : "  ", is_right(item) ? "ok" : "not ok", nr, item->scenario->name,
	       mutation, (unsigned long long)result->nr_schedules,
	       (unsigned long long)result->nr_pruned, (unsigned long long)result->nr_cut,
	       item->seconds);
	if (result->out_of_time)
		printf("# out of time: not all schedules were looked at\n");
	if (!result->fault[0])
		return;
	printf("# %s: %s\n", item->expected ? "found, as it must be" : "FAULT", result->fault);
	if (!strcmp(result->fault, NO_ANSWER) || (options->tap && is_right(item)))
		return;
	printf("# schedule '%s@%s', %u forced switches\n", item->scenario->name, result->schedule,
	       result->nr_switches);
	explore_mutation = item->mutation;
	explore_replay(item->scenario, result->schedule, options->all_points, &again);
}

static void print_group(enum group group, const struct options *options)
{
	unsigned int switches, i, nr = 0, nr_wrong = 0, max_points = 0, fewest = UINT32_MAX,
				  most = 0;
	uint64_t nr_schedules = 0, nr_pruned = 0, nr_cut = 0;

	for (i = 0; i < nr_items; i++) {
		const struct item *item = &items[i];

		if (item->group != group)
			continue;
		nr++;
		nr_wrong += !is_right(item);
		nr_schedules += item->result.nr_schedules;
		nr_pruned += item->result.nr_pruned;
		nr_cut += item->result.nr_cut;
		if (item->result.max_points > max_points)
			max_points = item->result.max_points;
		switches = options->switches >= 0 ? (unsigned int)options->switches
						  : item->max_switches;
		fewest = switches < fewest ? switches : fewest;
		most = switches > most ? switches : most;
	}
	if (nr)
		printf("# %s: %u scenarios, %u wrong; %llu schedules, %llu equivalent left out; "
		       "up to %u points, at most %u forced switches (%u in some), "
		       "%llu choices cut off by that\n",
		       group_names[group], nr, nr_wrong, (unsigned long long)nr_schedules,
		       (unsigned long long)nr_pruned, max_points, most, fewest,
		       (unsigned long long)nr_cut);
}

static int tell(const struct options *options, double seconds)
{
	unsigned int i, nr_wrong = 0;
	struct rusage usage;

	if (options->tap)
		printf("1..%u\n", nr_items);
	for (i = 0; i < nr_items; i++) {
		nr_wrong += !is_right(&items[i]);
		/* Hundreds of scenarios without a fault are told of in sum only. */
		if (options->tap || items[i].group == GROUP_GIVEN ||
		    items[i].group == GROUP_FIXTURES || items[i].group == GROUP_MUTATIONS ||
		    !is_right(&items[i]))
			print_item(&items[i], i + 1, options);
	}
	for (i = 0; i < NR_GROUPS; i++)
		print_group((enum group)i, options);
	getrusage(RUSAGE_CHILDREN, &usage);
	printf("# %.1f s with %u processes, %.1f s of processor time\n", seconds, options->jobs,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return nr_wrong ? 1 : 0;
}

/* Command line. */

static const struct explore_scenario *find_fixture(const char *name)
{
	static const struct explore_scenario *const fixtures[] = {
		&discussed_without_restart, &discussed_with_restart, &later_reads_after_queueing,
		&later_busy_without_walker, &later_stale_mark,
	};
	size_t i;

	for (i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
		if (!strcmp(fixtures[i]->name, name))
			return fixtures[i];
	return NULL;
}

static int add_given(const char *name)
{
	const struct explore_scenario *fixture = find_fixture(name);
	struct library_scenario own;
	struct item *item;

	if (!fixture && library_scenario_parse(&own, name)) {
		fprintf(stderr, "explore: no scenario \"%s\"; see --help\n", name);
		return -EINVAL;
	}
	item = add_item(GROUP_GIVEN, 3);
	if (!fixture) {
		library_scenario_parse(&item->own, name);
		fixture = &item->own.scenario;
	}
	item->scenario = fixture;
	return 0;
}

static int replay(char *name, unsigned int mutation, const struct options *options)
{
	const struct explore_scenario *scenario;
	struct library_scenario own;
	struct explore_result result;
	char *schedule = strchr(name, '@');

	if (schedule)
		*schedule++ = '\0';
	scenario = find_fixture(name);
	if (!scenario && !library_scenario_parse(&own, name))
		scenario = &own.scenario;
	explore_mutation = mutation;
	if (!scenario ||
	    explore_replay(scenario, schedule ? schedule : "", options->all_points, &result)) {
		fprintf(stderr, "explore: no schedule \"%s@%s\"\n", name, schedule ? schedule : "");
		return 2;
	}
	return result.fault[0] ? 1 : 0;
}

static void help(void)
{
	printf("Usage: explore [options] [scenario...]\n"
	       "Runs scenarios through every schedule with a bounded number of forced switches.\n"
	       "Without a scenario: the standard set, which proves the explorer on faulty protocols\n"
	       "and then looks at udamon's own. A scenario is what thread 1 does (run, stop,\n"
	       "restart, restart-forget, start) and what up to three others ask: call, call-twice,\n"
	       "repeat, repeat-cancel, repeat-cancel-later, walk, walk-twice, pause-resume, commit, withdraw,\n"
	       "withdraw-later, pause-long, inside, stopper, timeout; for example restart+call+walk.\n"
	       "  -n, --switches N    at most N forced switches (the default depends on the set)\n"
	       "  -s, --seconds S     at most S seconds for a scenario\n"
	       "  -j, --jobs J        processes (default: as many as processors)\n"
	       "      --short         the part of the standard set that takes a few seconds\n"
	       "      --whole         with two forced switches everywhere (about ten minutes)\n"
	       "      --deep          as --whole, and four for two askers (hours)\n"
	       "      --tap           every result as a TAP line\n"
	       "  -r, --replay NAME   run one schedule, as printed with a fault\n"
	       "  -m, --mutation M    with --replay: break rule M of the protocol\n"
	       "  -a, --all-points    show all synchronisation points\n");
}

enum { OPT_SHORT = 256, OPT_WHOLE, OPT_DEEP, OPT_TAP };

static const struct option long_options[] = {
	{"switches", required_argument, NULL, 'n'}, {"seconds", required_argument, NULL, 's'},
	{"jobs", required_argument, NULL, 'j'},	    {"short", no_argument, NULL, OPT_SHORT},
	{"whole", no_argument, NULL, OPT_WHOLE},    {"deep", no_argument, NULL, OPT_DEEP},
	{"tap", no_argument, NULL, OPT_TAP},	    {"replay", required_argument, NULL, 'r'},
	{"mutation", required_argument, NULL, 'm'}, {"all-points", no_argument, NULL, 'a'},
	{"help", no_argument, NULL, 'h'},	    {NULL},
};

static void add_standard(const struct options *options)
{
	add_fixtures();
	add_mutations();
	add_three(options->is_short ? SHORT_SWITCHES : options->deep ? 4 : 3);
	if (!options->is_short)
		add_four(options);
}

int main(int argc, char **argv)
{
	struct options options = {.switches = -1};
	unsigned int mutation = 0;
	char *replayed = NULL;
	double since = now();
	int opt, err;

	options.jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	while ((opt = getopt_long(argc, argv, "n:s:j:r:m:ah", long_options, NULL)) >= 0) {
		switch (opt) {
		case 'n':
			options.switches = atoi(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'j':
			options.jobs = (unsigned int)atoi(optarg);
			break;
		case OPT_SHORT:
			options.is_short = true;
			break;
		case OPT_DEEP:
			options.whole = options.deep = true;
			break;
		case OPT_WHOLE:
			options.whole = true;
			break;
		case OPT_TAP:
			options.tap = true;
			break;
		case 'r':
			replayed = optarg;
			break;
		case 'm':
			mutation = (unsigned int)atoi(optarg);
			break;
		case 'a':
			options.all_points = true;
			break;
		case 'h':
			help();
			return 0;
		default:
			return 2;
		}
	}
	if (replayed)
		return replay(replayed, mutation, &options);
	items = mmap(NULL, MAX_ITEMS * sizeof(*items), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (items == MAP_FAILED) {
		perror("explore");
		return 2;
	}
	for (; optind < argc; optind++)
		if (add_given(argv[optind]))
			return 2;
	if (!nr_items)
		add_standard(&options);
	err = run_items(&options);
	if (err)
		fprintf(stderr, "explore: a process failed: %s\n", strerror(-err));
	return tell(&options, now() - since) || err ? 1 : 0;
}
