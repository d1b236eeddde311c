/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Shape of x86-64 page tables; everything a walk of them needs to know about the processor.
 *
 * Source: Intel SDM volume 3, "Paging" (4-level and 5-level). The software-defined parts
 * (which bit marks a PROT_NONE page, the inverted frame of entries that aren't
 * present) are as Linux uses them. Another architecture brings another
 * file with the same names. Included by the BPF program and by user space.
 */
#ifndef UDAMON_ACCESS_ARCH_X86_64_H
#define UDAMON_ACCESS_ARCH_X86_64_H

#define ARCH_PAGE_SHIFT	 12
#define ARCH_TABLE_SHIFT 9 /* 512 entries a table */
#define ARCH_TABLE_MASK	 511ULL
/* log2 of what one entry of a level covers */
#define ARCH_LEVEL_SHIFT(level) (ARCH_PAGE_SHIFT + ((level)-1) * ARCH_TABLE_SHIFT)

#define ARCH_MIN_LEVELS	  4
#define ARCH_MAX_LEVELS	  5
#define ARCH_LEAF_LEVEL_2 1 /* an entry of level 2 may be a leaf: 2 MiB */
#define ARCH_LEAF_LEVEL_3 1 /* and one of level 3: 1 GiB */

#define ARCH_ENTRY_PRESENT   (1ULL << 0)
#define ARCH_ENTRY_ACCESSED  (1ULL << 5)
#define ARCH_ENTRY_LEAF	     (1ULL << 7) /* above level 1 only */
#define ARCH_ENTRY_NO_ACCESS (1ULL << 8) /* with PRESENT clear: mapped, but every access faults */
#define ARCH_ENTRY_SPECIAL   (1ULL << 9) /* level 1: no ordinary page (device, the zero page) */

/* Where two of them are, for code that looks at many entries at once. */
#define ARCH_BIT_ACCESSED  5
#define ARCH_BIT_NO_ACCESS 8
#define ARCH_BIT_SPECIAL   9

/*
 * What using a page changes in its entry: Accessed, Dirty, and the bits Linux
 * keeps "dirty" in besides (11: soft-dirty; 58: dirty but write-protected).
 */
#define ARCH_ENTRY_USE_MASK (ARCH_ENTRY_ACCESSED | (1ULL << 6) | (1ULL << 11) | (1ULL << 58))

/* Frame bits: 12..51, whatever the processor really implements of them. */
#define ARCH_FRAME_MASK 0x000ffffffffff000ULL

/* Lowest kernel address with 4 levels; a direct map below it means 5. */
#define ARCH_LOWEST_4_LEVEL_ADDR 0xffff800000000000ULL

/* The direct map starts at a multiple of this, randomised or not. */
#define ARCH_DIRECT_MAP_STEP (1ULL << 30)

/* An encryption bit is never found below this one. */
#define ARCH_LOWEST_ENCRYPTION_BIT 32

#endif
