#pragma once

#include <cstdint>  // defines __GLIBC__, without which nothing would be cloned

// NIRTRANS_CLONES compiles a function once per x86-64 level; the loader picks the best one for the processor. The
// attribute does not reach lambdas: mark named functions only. NIRTRANS_CPU_ISA names what was compiled.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(NIRTRANS_DEBUG)
#define NIRTRANS_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#define NIRTRANS_CPU_ISA "x86-64 x86-64-v3 x86-64-v4"
#else
#define NIRTRANS_CLONES
#define NIRTRANS_CPU_ISA ""
#endif
