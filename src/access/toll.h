/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What making pages old takes from a program that runs, as measured on this machine.
 */
#ifndef UDAMON_ACCESS_TOLL_H
#define UDAMON_ACCESS_TOLL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct toll - for each thread that runs
 * @page_ns:	a page that was cleared and is used again: walking the page table, marking the entry
 * @interrupt_ns: a range that is cleared, or a flush: the interrupt of the processor that runs it
 * @measured:	false: there was no processor to measure it on, and these are usual values
 */
struct toll {
	double page_ns;
	double interrupt_ns;
	bool measured;
};

/**
 * toll_ns() - what it took from a target that pages were made old
 * @nr_running:	threads of it that run, on the average
 *
 * Page tables are walked once at least, also by who runs only later. An interrupt is expected as often
 * as a thread runs: none comes to one that sleeps.
 */
static inline double toll_ns(const struct toll *toll, uint64_t nr_pages, uint64_t nr_interrupts,
			     double nr_running)
{
	return (double)nr_pages * toll->page_ns * (nr_running > 1 ? nr_running : 1) +
	       (double)nr_interrupts * toll->interrupt_ns * nr_running;
}

/**
 * toll_measure() - measure it, with a process of our own on another processor; takes less than 0.2 s
 *
 * Can't fail: what can't be measured is taken from elsewhere.
 */
void toll_measure(struct toll *toll);

#endif
