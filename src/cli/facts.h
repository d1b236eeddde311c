/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the tree tells of a context, gathered as JSON: what --json prints, and what text is made of. */
#ifndef UDAMON_CLI_FACTS_H
#define UDAMON_CLI_FACTS_H

#include <jansson.h>

#include "cli/contexts.h"
#include "report/format.h"

/** fact_text(), fact_number() - the value of a key in such an object; "" and 0 where it is null or missing */
const char *fact_text(const json_t *object, const char *key);
long long fact_number(const json_t *object, const char *key);

/** fact_quota() - how much the quota of a scheme allows in a window now: "12 MiB", "no limit" */
struct format_text fact_quota(const json_t *scheme);

/**
 * schemes_refresh() - have the statistics of a running context's schemes copied to its files
 *
 * Nothing for contexts that don't run or have no schemes. Return: 0 or an exit code; a context that has just stopped
 * isn't an error, one that isn't there is.
 */
int schemes_refresh(const struct tree *tree, const struct context_address *address,
		    enum context_state state);

/**
 * context_facts() - everything "udamon status" says of a context
 * @facts:	set to a new reference; the form is in udamon-status(1)
 * Return: 0 or an exit code.
 */
int context_facts(const struct tree *tree, const struct context_address *address,
		  enum context_state state, json_t **facts);

/**
 * schemes_facts() - everything "udamon schemes" says of the schemes of a context
 * @facts:	set to a new reference, an array; the form is in udamon-schemes(1)
 */
int schemes_facts(const struct tree *tree, const struct context_address *address, json_t **facts);

#endif
