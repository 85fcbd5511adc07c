/*
 * The four kinds of physical address, as types that do not mix.
 *
 * gfn_t/gpa_t: what a guest calls physical; mfn_t/hpa_t: the machine's. Frames are 4 KiB.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ul << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

typedef struct { uint64_t v; } gfn_t;
typedef struct { uint64_t v; } mfn_t;
typedef struct { uint64_t v; } gpa_t;
typedef struct { uint64_t v; } hpa_t;

#define GFN(n) ((gfn_t){ (n) })
#define MFN(n) ((mfn_t){ (n) })
#define GPA(n) ((gpa_t){ (n) })
#define HPA(n) ((hpa_t){ (n) })

#define GFN_INVALID GFN(~0ull)
#define MFN_INVALID MFN(~0ull)

static inline bool gfn_eq(gfn_t a, gfn_t b) { return a.v == b.v; }
static inline bool mfn_eq(mfn_t a, mfn_t b) { return a.v == b.v; }
static inline bool mfn_valid(mfn_t m) { return m.v != ~0ull; }
static inline bool gfn_valid(gfn_t g) { return g.v != ~0ull; }
static inline gfn_t gpa_to_gfn(gpa_t a) { return GFN(a.v >> PAGE_SHIFT); }
static inline gpa_t gfn_to_gpa(gfn_t g) { return GPA(g.v << PAGE_SHIFT); }
static inline mfn_t hpa_to_mfn(hpa_t a) { return MFN(a.v >> PAGE_SHIFT); }
static inline hpa_t mfn_to_hpa(mfn_t m) { return HPA(m.v << PAGE_SHIFT); }
static inline gfn_t gfn_add(gfn_t g, uint64_t n) { return GFN(g.v + n); }
static inline mfn_t mfn_add(mfn_t m, uint64_t n) { return MFN(m.v + n); }
static inline gpa_t gpa_add(gpa_t a, uint64_t n) { return GPA(a.v + n); }
static inline hpa_t hpa_add(hpa_t a, uint64_t n) { return HPA(a.v + n); }
static inline uint64_t gpa_offset(gpa_t a) { return a.v & (PAGE_SIZE - 1); }

#endif
