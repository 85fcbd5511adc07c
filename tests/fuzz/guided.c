/*
 * main() for a fuzz target whose code is compiled with -fsanitize-coverage=trace-pc: inputs that reach something new
 * are kept and changed further. This file itself must be compiled without that.
 *
 * With arguments: runs each file, or each file of each directory, once; with --keep DIR first, it then goes on as below
 * and writes what it keeps into DIR (for the corpus in the tree); with --least DIR, it writes there the fewest of the
 * inputs given that together reach what all do. Without: begins with the corpus in FUZZ_CORPUS_DIR and
 * runs FUZZ_SECONDS, or else FUZZ_RUNS inputs, from the seed FUZZ_SEED. An input that fails is printed as hex.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX  512u
#define CORPUS_MAX 8192u
#define MAP_SIZE   65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_cov_trace_pc(void);
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

static struct input {
	uint8_t *data;
	size_t size;
} corpus[CORPUS_MAX];
static unsigned int corpus_size;

/* Steps from one place of the code to another: this run's counts, and the classes of counts seen in all runs. */
static uint8_t steps[MAP_SIZE], seen[MAP_SIZE];
static uint16_t last_place;
static const uint8_t *current;
static size_t current_size;
static uint64_t rng;
static const char *keep_dir;
static unsigned int kept;
static bool coarse;                     /* only whether a step was made counts, not how often */

/* Called by the code under test at each basic block. Places are counted from the target's entry: they are the same in
 * every run of a program, wherever it is loaded. */
void __sanitizer_cov_trace_pc(void)
{
	uintptr_t at = (uintptr_t)__builtin_return_address(0) - (uintptr_t)LLVMFuzzerTestOneInput;
	uint16_t place = (uint16_t)(at * 40503u >> 3);

	if (steps[place ^ last_place] != 255) {
		steps[place ^ last_place]++;
	}
	last_place = place >> 1;
}

const char *__asan_default_options(void)
{
	return "abort_on_error=1:detect_leaks=0";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void on_abort(int sig)
{
	static const char digit[] = "0123456789abcdef";

	(void)!write(2, "input: ", 7);
	for (size_t i = 0; i < current_size; i++) {
		const char byte[2] = { digit[current[i] >> 4], digit[current[i] & 15] };
		(void)!write(2, byte, 2);
	}
	(void)!write(2, "\n", 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more: a bit each. */
static uint8_t class_of(uint8_t count)
{
	static const uint8_t limit[7] = { 1, 2, 3, 7, 15, 31, 127 };
	unsigned int n = 0;

	while (n < 7 && count > limit[n]) {
		n++;
	}
	return (uint8_t)(1u << n);
}

/* Run one input from a copy of its exact size (ASan sees a read past the end). How many new classes of steps? */
static unsigned int run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	unsigned int news = 0;

	if (copy == NULL) {
		abort();
	}
	memcpy(copy, data, size);
	current = data;
	current_size = size;
	memset(steps, 0, sizeof(steps));
	last_place = 0;
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	for (unsigned int i = 0; i < MAP_SIZE; i += 8) {
		uint64_t eight;

		memcpy(&eight, steps + i, 8);
		for (unsigned int k = i; eight != 0 && k < i + 8; k++) {
			uint8_t c = steps[k] == 0 ? 0 : coarse ? 1 : class_of(steps[k]);
			news += (c & ~seen[k]) != 0;
			seen[k] |= c;
		}
	}
	return news;
}

static void save(const uint8_t *data, size_t size)
{
	char name[4096];
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ data[i]) * 0x100000001b3ull;
	}
	snprintf(name, sizeof(name), "%s/%016llx", keep_dir, (unsigned long long)hash);
	FILE *f = fopen(name, "wb");
	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
		perror(name);
		exit(2);
	}
	kept++;
}

static void keep(const uint8_t *data, size_t size)
{
	if (corpus_size == CORPUS_MAX) {
		return;
	}
	uint8_t *copy = malloc(size ? size : 1);
	if (copy == NULL) {
		return;
	}
	memcpy(copy, data, size);
	corpus[corpus_size++] = (struct input){ copy, size };
}

static bool load_file(const char *path)
{
	uint8_t buf[INPUT_MAX];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return false;
	}
	size_t n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	keep(buf, n);
	return true;
}

static bool load(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		return load_file(path);
	}
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort);
	bool ok = n >= 0;
	for (int i = 0; i < n; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
			ok = load_file(name) && ok;
		}
		free(list[i]);
	}
	if (n >= 0) {
		free(list);
	}
	return ok;
}

/* One small change; the result has at most INPUT_MAX bytes. */
static size_t change(uint8_t *buf, size_t size)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0x0f, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0xc4, 0xc5 };
	const struct input *other = &corpus[next_random() % corpus_size];
	size_t at = size ? next_random() % size : 0, from, n;

	switch (size == 0 ? 3 : next_random() % 7) {
	case 0:
		buf[at] ^= (uint8_t)(1u << next_random() % 8);
		return size;
	case 1:
		buf[at] = (uint8_t)next_random();
		return size;
	case 2:
		buf[at] = odd[next_random() % sizeof(odd)];
		return size;
	case 3:
		if (size < INPUT_MAX) {
			memmove(buf + at + 1, buf + at, size - at);
			buf[at] = next_random() & 1 ? odd[next_random() % sizeof(odd)] : (uint8_t)next_random();
			size++;
		}
		return size;
	case 4:
		memmove(buf + at, buf + at + 1, size - at - 1);
		return size - 1;
	case 5:
		/* a piece of another input over this one */
		from = other->size ? next_random() % other->size : 0;
		n = other->size - from;
		n = n > INPUT_MAX - at ? INPUT_MAX - at : n;
		memcpy(buf + at, other->data + from, n);
		return at + n > size ? at + n : size;
	default:
		buf[at] += (uint8_t)(next_random() % 9 - 4);
		return size;
	}
}

static uint64_t env_number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

static void explore(void)
{
	uint64_t seconds = env_number("FUZZ_SECONDS", 0), runs = env_number("FUZZ_RUNS", 20000), done = 0;
	uint64_t end = (uint64_t)time(NULL) + seconds;
	unsigned int first = corpus_size, places = 0;
	uint8_t buf[INPUT_MAX];

	rng = env_number("FUZZ_SEED", 0x2545f4914f6cdd1d);
	rng = rng ? rng : 1;
	while (seconds ? done % 256 != 0 || (uint64_t)time(NULL) < end : done < runs) {
		/* the newer ones are where something is being found */
		unsigned int half = next_random() & 1 ? corpus_size / 2 : 0;
		const struct input *in = &corpus[half + next_random() % (corpus_size - half)];
		size_t size = in->size;
		memcpy(buf, in->data, size);
		for (unsigned int n = 1 + (unsigned int)(next_random() % 6); n > 0; n--) {
			size = change(buf, size);
		}
		if (run(buf, size) != 0) {
			keep(buf, size);
			if (keep_dir != NULL) {
				save(buf, size);
			}
		}
		done++;
	}
	for (unsigned int i = 0; i < MAP_SIZE; i++) {
		places += seen[i] != 0;
	}
	printf("%llu runs, %u steps, %u inputs, %u of them new\n", (unsigned long long)done, places, corpus_size,
	       corpus_size - first);
}

/* Small ones first: those that add nothing to what smaller ones reach are left out. */
static int by_size(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

static void write_least(void)
{
	coarse = true;
	qsort(corpus, corpus_size, sizeof(*corpus), by_size);
	memset(seen, 0, sizeof(seen));
	for (unsigned int i = 0; i < corpus_size; i++) {
		if (run(corpus[i].data, corpus[i].size) != 0) {
			save(corpus[i].data, corpus[i].size);
		}
	}
	printf("%u of %u inputs kept\n", kept, corpus_size);
}

int main(int argc, char **argv)
{
	bool least = argc > 2 && strcmp(argv[1], "--least") == 0;
	bool ok = true;
	int i = 1;

	signal(SIGABRT, on_abort);
	if (least || (argc > 2 && strcmp(argv[1], "--keep") == 0)) {
		keep_dir = argv[2];
		i = 3;
	}
	for (int k = i; k < argc; k++) {
		ok = load(argv[k]) && ok;
	}
	if (i == argc) {
		ok = load(FUZZ_CORPUS_DIR);
	}
	if (!ok || corpus_size == 0) {
		fprintf(stderr, "%s: no corpus\n", argv[0]);
		return 2;
	}
	if (least) {
		write_least();
		return 0;
	}
	for (unsigned int k = 0; k < corpus_size; k++) {
		(void)run(corpus[k].data, corpus[k].size);
	}
	if (argc < 2 || keep_dir != NULL) {
		explore();
	}
	return 0;
}
