/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Scenarios on the library's own code: what two threads ask while a third starts and stops. */
#ifndef UDAMON_TESTS_SCENARIOS_H
#define UDAMON_TESTS_SCENARIOS_H

#include "explore.h"

/* What thread 1 does with the context meanwhile. */
enum lifecycle {
	LIFE_GOES_ON,	     /* nothing, until the others are done */
	LIFE_STOP,	     /* stops it */
	LIFE_RESTART,	     /* stops it and starts it again */
	LIFE_RESTART_FORGET, /* the same, without its training */
	LIFE_START,	     /* starts it only after the others began */
	NR_LIVES,
};

/* What another thread asks. */
enum asking {
	ASK_CALL,
	ASK_CALL_TWICE,	   /* the same control again at once */
	ASK_REPEAT,	   /* a repeated call that ends by itself */
	ASK_REPEAT_CANCEL, /* one that is cancelled */
	ASK_WALK,
	ASK_WALK_TWICE,
	ASK_PAUSE_RESUME,
	ASK_COMMIT,
	ASK_CANCEL_OTHERS, /* withdraw what the other thread asked for */
	ASK_INSIDE,	   /* a call from whose function everything is asked */
	ASK_STOP,
	ASK_REPEAT_CANCEL_LATER, /* a repeated call that is cancelled when it may be running */
	ASK_CANCEL_OTHERS_LATER, /* a withdrawal when the other may be being served */
	ASK_PAUSE_LONG,		 /* a pause longer than any walk takes */
	ASK_CALL_TIMEOUT,	 /* a call and a walk that don't wait long */
	NR_ASKING,
	ASK_NOTHING = NR_ASKING,
};

/* At most three threads ask; ASK_NOTHING: no such thread. */
struct library_scenario {
	struct explore_scenario scenario;
	char name[96];
	enum lifecycle life;
	enum asking asking[3];
};

/* Fills in a scenario and its name: "restart+call+walk". */
void library_scenario(struct library_scenario *scenario, enum lifecycle life, enum asking first,
		      enum asking second, enum asking third);

/* By that name. Returns 0 or -EINVAL. */
int library_scenario_parse(struct library_scenario *scenario, const char *name);

#endif
