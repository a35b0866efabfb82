// SPDX-License-Identifier: Apache-2.0
// No cache line is written by two workers on the packet path. Seen from outside: threads of a running graph are let go
// one at a time, all of the process's memory is compared before and after, and every line that changed is noted for
// that thread. So it holds for whatever was allocated wherever, libraries included. What is meant to go from worker
// to worker is left out: packets' buffers, and the stack of free ones behind the workers' caches.
#define _GNU_SOURCE
#include "engine/classes.h"
#include "engine/engine.h"
#include "engine/worker.h"
#include "lang/graph.h"
#include "module/library.h"
#include "packet/pool.h"
#include "port/platform.h"
#include "port/port_driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <rte_stack.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE = 64, PAGE = 4096, PAGES_AT_ONCE = 4096, REGIONS = 4096, THREADS = 8, ROUNDS = 6 };
enum { BUFFERS = 8192, MOST_TOLD = 12, RUN_NS = 2000000, MOST_WAITS = 1000 };

struct region {
	char *from, *to, *before; // before: as it was
	uint8_t *writers;         // a bit per thread, of each line
	char name[64];
};

struct range {
	const char *from, *to;
};

// In a mapping of its own, which is left out: what the test itself writes.
static struct own {
	struct {
		pid_t id;
		bool may_run, is_paused;
	} threads[THREADS];
	unsigned thread_count;
	struct region regions[REGIONS];
	unsigned region_count;
	struct range left_out[REGIONS];
	unsigned left_out_count;
	uint64_t pages[PAGES_AT_ONCE];
	int pagemap;
} *own;

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

// ---- threads that run one at a time

static void rest(int)
{
	pid_t id = (pid_t)syscall(SYS_gettid);
	int error = errno;

	for (unsigned i = 0; i < own->thread_count; i++)
		while (own->threads[i].id == id && !__atomic_load_n(&own->threads[i].may_run, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&own->threads[i].is_paused, true, __ATOMIC_RELEASE);
			sleep_us(50);
		}
	errno = error;
}

static unsigned tasks(pid_t *ids)
{
	DIR *folder = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) && count < 64;)
		if (*entry->d_name != '.')
			ids[count++] = atoi(entry->d_name);
	closedir(folder);
	return count;
}

// Those that were not there before.
static void note_threads(const pid_t *before, unsigned before_count)
{
	pid_t now[64];
	unsigned count = tasks(now);

	own->thread_count = 0;
	for (unsigned i = 0; i < count; i++) {
		bool is_old = false;

		for (unsigned j = 0; j < before_count; j++)
			is_old = is_old || before[j] == now[i];
		if (!is_old && own->thread_count < THREADS)
			own->threads[own->thread_count++].id = now[i];
	}
}

static void stop(unsigned thread)
{
	__atomic_store_n(&own->threads[thread].is_paused, false, __ATOMIC_RELEASE);
	__atomic_store_n(&own->threads[thread].may_run, false, __ATOMIC_RELEASE);
	syscall(SYS_tgkill, getpid(), own->threads[thread].id, SIGUSR1);
	for (unsigned i = 0; i < 100000 && !__atomic_load_n(&own->threads[thread].is_paused, __ATOMIC_ACQUIRE); i++)
		sleep_us(50);
	assert_true(own->threads[thread].is_paused);
}

static void let_go(unsigned thread)
{
	__atomic_store_n(&own->threads[thread].may_run, true, __ATOMIC_RELEASE);
}

// The processor's time that a thread has had: on a busy machine waiting alone says nothing.
static uint64_t time_of(unsigned thread)
{
	clockid_t clock = (clockid_t)(~(unsigned)own->threads[thread].id << 3 | 6); // see clock_getcpuclockid(3)
	struct timespec time = { 0 };

	assert_int_equal(clock_gettime(clock, &time), 0);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// For so much of its own time; an observer that has nothing to do sleeps instead.
static void let_run(unsigned thread)
{
	uint64_t until = time_of(thread) + RUN_NS;

	let_go(thread);
	for (unsigned i = 0; i < MOST_WAITS && time_of(thread) < until; i++)
		sleep_us(500);
	stop(thread);
}

// ---- memory

static bool is_left_out(const char *at)
{
	for (unsigned i = 0; i < own->left_out_count; i++)
		if (at >= own->left_out[i].from && at < own->left_out[i].to)
			return true;
	return false;
}

static void leave_out(const void *from, size_t size)
{
	own->left_out[own->left_out_count++] = (struct range){ from, (const char *)from + size };
}

static void leave_out_chunk(struct rte_mempool *, void *, struct rte_mempool_memhdr *memory, unsigned)
{
	leave_out(memory->addr, memory->len);
}

// All that can be written, but for the main thread's stack and what the test has mapped for itself.
static void note_regions(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	assert_non_null(maps);
	own->region_count = 0;
	while (fgets(line, sizeof(line), maps)) {
		struct region *region = &own->regions[own->region_count];
		char rights[8], name[64] = "memory";
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %63s", &from, &to, rights, name) < 3)
			continue;
		if (rights[1] != 'w' || !strncmp(name, "[stack", 6) || !strncmp(name, "/dev/zero", 9))
			continue;
		*region = (struct region){ .from = (char *)from, .to = (char *)to };
		snprintf(region->name, sizeof(region->name), "%s", name);
		assert_true(++own->region_count < REGIONS);
	}
	fclose(maps);
	for (unsigned i = 0; i < own->region_count; i++) {
		struct region *region = &own->regions[i];

		region->before = map((size_t)(region->to - region->from));
		region->writers = map((size_t)(region->to - region->from) / LINE);
	}
}

static void forget_regions(void)
{
	for (unsigned i = 0; i < own->region_count; i++) {
		struct region *region = &own->regions[i];

		munmap(region->before, (size_t)(region->to - region->from));
		munmap(region->writers, (size_t)(region->to - region->from) / LINE);
	}
	own->region_count = own->left_out_count = 0;
}

typedef void (*visit)(struct region *region, size_t at, unsigned thread);

// Only pages that are there: a table of a million rows is mapped, but few are.
static void each_page(struct region *region, visit see, unsigned thread)
{
	size_t pages = (size_t)(region->to - region->from) / PAGE;

	for (size_t first = 0; first < pages; first += PAGES_AT_ONCE) {
		size_t count = pages - first < PAGES_AT_ONCE ? pages - first : PAGES_AT_ONCE;
		off_t place = (off_t)(((uintptr_t)region->from / PAGE + first) * sizeof(uint64_t));

		assert_int_equal(pread(own->pagemap, own->pages, count * sizeof(uint64_t), place),
			count * sizeof(uint64_t));
		for (size_t i = 0; i < count; i++)
			if (own->pages[i] >> 62) // in memory, or swapped out
				see(region, (first + i) * PAGE, thread);
	}
}

static void keep(struct region *region, size_t at, unsigned)
{
	memcpy(region->before + at, region->from + at, PAGE);
}

static void compare(struct region *region, size_t at, unsigned thread)
{
	if (!memcmp(region->before + at, region->from + at, PAGE))
		return;
	for (size_t line = at; line < at + PAGE; line += LINE)
		if (memcmp(region->before + line, region->from + line, LINE))
			region->writers[line / LINE] |= (uint8_t)(1u << thread);
}

static void each_region(visit see, unsigned thread)
{
	for (unsigned i = 0; i < own->region_count; i++)
		each_page(&own->regions[i], see, thread);
}

// ---- what is found

static const char *whose(const char *at, char *text, size_t size)
{
	const struct generation *generation = engine_generation();

	for (unsigned i = 0; generation && i < generation->workers; i++) {
		const char *worker = (const char *)&generation->workers_at[i];

		if (at >= worker && at < worker + sizeof(struct worker))
			snprintf(text, size, "struct worker %u + %zu", i, (size_t)(at - worker));
	}
	for (unsigned i = 0; generation && i < generation->port_count; i++) {
		const char *port = (const char *)(generation->ports[i].receives ? generation->ports[i].receives
									      : generation->ports[i].sends);

		if (at >= port && at < port + sizeof(struct port))
			snprintf(text, size, "struct port of %s + %zu", generation->ports[i].element->name,
				(size_t)(at - port));
	}
	return text;
}

static void tell(const struct region *region, size_t line)
{
	char text[128] = "";

	print_error("%p in %s is written by threads", (void *)(region->from + line), region->name);
	for (unsigned thread = 0; thread < THREADS; thread++)
		if (region->writers[line / LINE] >> thread & 1)
			print_error(" %u", thread);
	print_error(": %s\n", whose(region->from + line, text, sizeof(text)));
}

static unsigned count_shared(unsigned *all, bool aloud)
{
	unsigned shared = 0;

	*all = 0;
	for (unsigned i = 0; i < own->region_count; i++) {
		const struct region *region = &own->regions[i];

		for (size_t line = 0; line < (size_t)(region->to - region->from); line += LINE) {
			uint8_t writers = region->writers[line / LINE];

			if (!writers || is_left_out(region->from + line))
				continue;
			++*all;
			if (!(writers & (writers - 1)))
				continue;
			if (aloud && shared < MOST_TOLD)
				tell(region, line);
			shared++;
		}
	}
	return shared;
}

// Lines that more than one of the threads wrote; *all: that any did.
static unsigned watch(unsigned *all, bool aloud)
{
	for (unsigned i = 0; i < own->thread_count; i++)
		stop(i);
	note_regions();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < own->thread_count; i++) {
			each_region(keep, i);
			let_run(i);
			each_region(compare, i);
		}
	for (unsigned i = 0; i < own->thread_count; i++)
		let_go(i);
	return count_shared(all, aloud);
}

// ---- that it would find it

static struct {
	_Alignas(LINE) uint64_t shared[2];
	_Alignas(LINE) uint64_t alone[2][LINE / sizeof(uint64_t)];
	bool ends;
} probe;

static void *count(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;

	while (!__atomic_load_n(&probe.ends, __ATOMIC_RELAXED)) {
		weir_count(&probe.shared[number]);
		weir_count(&probe.alone[number][0]);
	}
	return NULL;
}

static void test_finds_a_shared_line(void **state)
{
	pthread_t threads[2];
	pid_t before[64];
	unsigned before_count = tasks(before), all;

	(void)state;
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, (void *)i), 0);
	note_threads(before, before_count);
	assert_int_equal(own->thread_count, 2);
	assert_int_equal(watch(&all, false), 1);
	assert_true(all >= 3);
	__atomic_store_n(&probe.ends, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	forget_regions();
}

// ---- graphs

static struct plan *read_graph(struct arena *arena, const char *text, unsigned workers)
{
	const char *build = getenv("WEIR_BUILD");
	struct diag *diag = diag_create(arena);
	struct library *library = library_create();
	struct plan_wish wish = { .workers = workers };
	char folder[600];
	struct plan *plan;

	snprintf(folder, sizeof(folder), "%s/modules", build ? build : "build");
	library_add(library, &engine_module);
	library_load_path(library, folder, diag);
	plan = plan_create(graph_parse(arena, "graph", text, strlen(text), NULL, 0, diag), library, &wish, diag);
	diag_print(diag, stderr);
	assert_non_null(plan);
	return plan;
}

// Each worker receives, and hands half of it to the other; queues, tables, clones and an observer.
#define SOURCE "in :: FromDump(\"null:flows=512,size=100\"); out :: ToDump(\"null:\");\n"
static const char *const graphs[] = {
	SOURCE "in -> out;",
	SOURCE
	"in -> CheckIPHeader -> Paint(1) -> DecIPTTL -> Counter -> t :: Tee -> out; t[1] -> p :: PaintSwitch -> Idle;"
	"p[1] -> m :: Match(ip.ttl > 3) -> Discard; m[other] -> Idle;",
	SOURCE "in -> s :: EtherSwitch -> q :: Queue(500) -> Counter -> out;",
	SOURCE "in -> Strip(14) -> CheckIPHeader -> l :: LookupIPRoute(0.0.0.0/0 10.0.0.9 0)"
	       "-> ARPQuerier(10.0.0.1, 02:00:00:00:00:09) -> out;",
	SOURCE
	"in -> c :: Counter -> out; JsonLog(/dev/null, events \"packet.received\", fields \"ip.src\");",
};

static void check_graph(const char *text)
{
	struct arena *arena = arena_create();
	struct plan *plan = read_graph(arena, text, 2);
	struct bindings bindings = { 0 };
	struct engine_wish wish = { .workers = 2, .busy_poll = true, .buffers = BUFFERS, .bindings = &bindings };
	struct port_error why = { "", "" };
	pid_t before[64];
	unsigned before_count = tasks(before), all;
	struct rte_mempool *pool = platform_pool();
	struct engine_sum sum;

	if (engine_start(plan, &wish, &why))
		fail_msg("%s; %s", why.text, why.hint);
	note_threads(before, before_count);
	assert_true(own->thread_count >= 2);
	sleep_us(100000);
	rte_mempool_mem_iter(pool, leave_out_chunk, NULL);
	leave_out(pool->pool_data, sizeof(struct rte_stack) + pool->size * sizeof(void *));
	if (watch(&all, true))
		fail_msg("workers write the same cache lines: %s", text);
	print_message("# %u lines, each written by one thread alone: %s\n", all, text);
	forget_regions();
	for (unsigned worker = 0; worker < 2; worker++) {
		sum = engine_sum_of(worker);
		assert_true(sum.filled > 1000); // both were at work
	}
	engine_stop();
	sum = engine_sum();
	assert_true(engine_is_conserved(&sum));
	engine_destroy();
	arena_destroy(arena);
}

static void test_workers_share_no_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++)
		check_graph(graphs[i]);
}

static int start_platform(void **state)
{
	struct platform_wish wish = { .buffers = BUFFERS, .workers = 2 };
	struct port_error why;

	(void)state;
	own = map(sizeof(*own));
	own->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = rest, .sa_flags = SA_RESTART }, NULL);
	return platform_start(&wish, &why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_a_shared_line),
		cmocka_unit_test(test_workers_share_no_line),
	};

	return cmocka_run_group_tests_name("lines", tests, start_platform, NULL);
}
