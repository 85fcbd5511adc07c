/*
 * main() for a fuzz target built without a fuzzing engine (plain gcc, `make check`).
 *
 * With arguments: runs each file, or each file of each directory (corpus, past crashes), once.
 * Without: runs FUZZ_RUNS (default 20000) generated inputs from the seed FUZZ_SEED (default fixed),
 * so that a failure comes again with the same two values.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (64 * 1024)
#define RANDOM_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	static uint8_t buf[INPUT_MAX];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	size_t n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	/* A copy of the exact size, so that ASan sees a read past the end. */
	uint8_t *copy = malloc(n ? n : 1);
	if (copy == NULL) {
		return 1;
	}
	memcpy(copy, buf, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	return 0;
}

static int run_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode)) {
		return run_file(path);
	}
	DIR *dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		return 1;
	}
	int bad = 0;
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
			bad |= run_file(name);
		}
	}
	closedir(dir);
	return bad;
}

static uint64_t env_number(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : fallback;
}

/* xorshift: the same inputs on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void run_random(uint64_t runs, uint64_t seed)
{
	uint64_t state = seed ? seed : 1;

	for (uint64_t i = 0; i < runs; i++) {
		size_t n = next_random(&state) % RANDOM_MAX;
		uint8_t *buf = malloc(n ? n : 1);

		if (buf == NULL) {
			return;
		}
		for (size_t k = 0; k < n; k++) {
			uint64_t r = next_random(&state);
			/* Small values and repeats reach more than white noise does. */
			buf[k] = r & 0x300 ? (uint8_t)r : (uint8_t)(r & 7);
		}
		LLVMFuzzerTestOneInput(buf, n);
		free(buf);
	}
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (argc < 2) {
		run_random(env_number("FUZZ_RUNS", 20000), env_number("FUZZ_SEED", 0x2545f4914f6cdd1d));
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		bad |= run_path(argv[i]);
	}
	return bad;
}
