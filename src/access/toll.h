/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What making pages old takes from a program that runs, as measured on this machine.
 */
#ifndef UDAMON_ACCESS_TOLL_H
#define UDAMON_ACCESS_TOLL_H

#include <stdbool.h>

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
 * toll_measure() - measure it, with a process of our own on another processor; takes less than 0.2 s
 *
 * Can't fail: what can't be measured is taken from elsewhere.
 */
void toll_measure(struct toll *toll);

#endif
