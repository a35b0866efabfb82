// SPDX-License-Identifier: Apache-2.0
// Loads the library as a plug-in does (dlopen, names kept to itself), makes mistakes, and says nothing: the test sees
// to it that nobody else does. quiet LIBRARY
#include <libweir.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>

#define NAME(function) typeof(&function) name_##function = (typeof(&function))dlsym(library, #function)

int main(int count, char **words)
{
	void *library = count > 1 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	struct sigaction before, after;

	if (!library)
		return fprintf(stderr, "%s\n", dlerror()), 2;
	NAME(weir_open);
	NAME(weir_load_text);
	NAME(weir_error);
	NAME(weir_drain);
	NAME(weir_unload);
	struct weir_plan *plan;

	for (int i = 1; i < 32; i++) {
		sigaction(i, NULL, &before);
		if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
			continue; // a sanitizer's
		name_weir_open(i % 2 ? "no-such.pcap" : "vdev:no_such0", NULL, NULL);
		sigaction(i, NULL, &after);
		if (after.sa_handler != before.sa_handler)
			return 3;
	}
	if (name_weir_load_text("in :: Port; in -> Countr;", NULL) || !*name_weir_error())
		return 4;
	plan = name_weir_load_text(
		"in :: Port(null:count=1000); in -> Paint(1) -> Counter -> Discard;",
		NULL); // of modules
	if (!plan)
		return fprintf(stderr, "%s\n", name_weir_error()), 5;
	while (name_weir_drain(plan) > 0)
		;
	name_weir_unload(&plan);
	return 0;
}
